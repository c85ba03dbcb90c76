/** What a mirror's keeper relies on: the limits hold for all that a build fetches, and connections are used again. */
import path from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Network } from "../../src/fetch/index.ts";
import { openWorkshop, rejection, type Workshop } from "./workshop.ts";

let shop: Workshop;
let network: Network;
beforeEach(async () => {
  shop = await openWorkshop();
});
afterEach(async () => {
  await network.close();
  await shop.close();
});

const request = (name: string) => ({ name, kind: "any" as const, url: `${shop.server.url}/${name}` });
const file = (name: string) => ({ ...request(name), target: path.join(shop.out, name) });

it("several transports together keep to the limits, and the next one needs no connection of its own", async () => {
  network = new Network({}, { perOrigin: 2, connectMs: 2000, idleMs: 2000 });
  let running = 0;
  let most = 0;
  const names = Array.from({ length: 8 }, (_, index) => `file-${index}`);
  for (const name of names) {
    await shop.put(name, name);
    shop.server.always(`/${name}`, async (_request, response, next) => {
      running += 1;
      most = Math.max(most, running);
      response.once("close", () => {
        running -= 1;
      });
      for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate);
      await next();
    });
  }
  const [first, second] = [shop.transport({ network }), shop.transport({ network })];
  await Promise.all(names.map((name, index) => (index % 2 === 0 ? first : second).download(file(name))));
  expect(most).toBe(2);
  await first.close();
  const outcome = await second.read(request("file-0"));
  expect(outcome.bytes.toString()).toBe("file-0");
  expect(shop.server.connections()).toBe(2);
});

it("a transport that is closed gives up its own downloads, and nobody else's", async () => {
  network = new Network({}, { connectMs: 2000, idleMs: 2000 });
  await shop.put("file", "content");
  const [first, second] = [shop.transport({ network }), shop.transport({ network })];
  let answer: (() => void) | undefined;
  const asked = new Promise<void>((resolve) => {
    let count = 0;
    shop.server.always("/file", async (_request, _response, next) => {
      count += 1;
      if (count === 2) resolve();
      await new Promise<void>((go) => {
        const before = answer;
        answer = () => {
          before?.();
          go();
        };
      });
      await next();
    });
  });
  const given = rejection(first.download({ ...file("file"), target: path.join(shop.out, "first") }));
  const kept = second.download({ ...file("file"), target: path.join(shop.out, "second") });
  await asked;
  await first.close();
  expect((await given).message).toBe("the transport was closed");
  answer?.();
  expect(await kept).toMatchObject({ status: "fetched", size: 7 });
  expect(await shop.outputs()).toEqual(["second"]);
});

it("what decides about more comes first, then what others wait for, then the rest", async () => {
  network = new Network({}, { perOrigin: 1, connectMs: 2000, idleMs: 2000 });
  const transport = shop.transport({ network });
  for (const name of ["busy", "extension", "image", "index"]) await shop.put(name, name);
  let go: () => void = () => {};
  const isBusy = new Promise<void>((resolve) => {
    shop.server.always("/busy", async (_request, _response, next) => {
      resolve();
      await new Promise<void>((free) => {
        go = free;
      });
      await next();
    });
  });
  const busy = transport.download(file("busy"));
  await isBusy;
  const rest = [
    transport.download(file("extension")),
    transport.download({ ...file("image"), urgent: true }),
    transport.read(request("index")),
  ];
  go();
  await Promise.all([busy, ...rest]);
  expect(shop.server.log).toEqual(["GET /busy", "GET /index", "GET /image", "GET /extension"]);
});
