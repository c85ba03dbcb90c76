// Runs a command in a fresh machine's clone of this checkout: `npm run fresh -- npm run quickstart`.
import { FreshMachine } from "./fresh-machine.mjs";
import { root, runScript, say } from "./setup.mjs";
import { SetupFailure } from "./setup-failure.mjs";

await runScript(async () => {
  const words = process.argv.slice(2);
  const user = words[0] === "--plain-user" ? "dev" : "root";
  const command = user === "dev" ? words.slice(1) : words;
  if (command.length === 0)
    throw new SetupFailure(
      "fresh-usage",
      "no command is given",
      "usage: npm run fresh -- [--plain-user] COMMAND, e.g. npm run fresh -- npm run quickstart",
      2,
    );
  const machine = await FreshMachine.make(root, say);
  try {
    say(`running ${command.join(" ")} as ${user} in it, on a clone of the last commit`);
    return (await machine.run(user, command, { output: "shown" })).status;
  } finally {
    machine.remove();
  }
});
