// Runs one of the scripts beside it: `node bin/script.js NAME [ARGUMENT...]`. It is CommonJS, which Node loads from every
// directory, so that a directory from which Node loads no modules is refused with a sentence.
const path = require("node:path");
const { refuseDirectoryName } = require("./directory-name.js");

const [name = ""] = process.argv.splice(2, 1);
const refusal = refuseDirectoryName(process.cwd(), [path.dirname(__dirname)]);
if (refusal === undefined) {
  import(`./${name}.mjs`);
} else {
  process.stderr.write(refusal);
  process.exitCode = 2;
}
