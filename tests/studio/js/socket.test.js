import assert from "node:assert/strict";
import { test } from "node:test";

import { Connection } from "../../../src/ripieno/studio/static/socket.js";

/** A line that is cut and mended by hand. */
function lines() {
  /** @type {any[]} */
  const made = [];
  /** @type {string[]} */
  const told = [];
  /** @type {any[]} */
  const received = [];
  let seen = 0;
  const connection = new Connection({
    url: "ws://x",
    seen: () => seen,
    receive: (message) => {
      received.push(message);
      if (message.type === "welcome") seen = message.seq;
    },
    changed: (why) => told.push(why),
    open: () => {
      const socket = {
        sent: /** @type {any[]} */ ([]),
        send: (/** @type {string} */ text) => socket.sent.push(JSON.parse(text)),
        close: () => socket.onclose({ code: 1000 }),
        onopen: () => {},
        onmessage: (/** @type {any} */ _event) => {},
        onclose: (/** @type {any} */ _event) => {},
      };
      made.push(socket);
      return /** @type {any} */ (socket);
    },
  });
  const say = (/** @type {object} */ message) => made.at(-1).onmessage({ data: JSON.stringify(message) });
  return { connection, made, told, received, say };
}

test("nothing is said before the welcome, and then everything in order", () => {
  const { connection, made, say } = lines();
  connection.send({ type: "edit", id: "a" });
  made[0].onopen();
  assert.deepEqual(made[0].sent, [{ type: "hello", protocol: 2, seen: 0 }]);
  say({ type: "welcome", seq: 7 });
  connection.send({ type: "undo", id: "b" });
  assert.deepEqual(
    made[0].sent.slice(1).map((/** @type {any} */ one) => one.id),
    ["a", "b"],
  );
  connection.close();
});

test("after a break it says what it has seen and sends again what was not answered", () => {
  const { connection, made, told, say } = lines();
  made[0].onopen();
  say({ type: "welcome", seq: 7 });
  connection.send({ type: "edit", id: "a" });
  connection.send({ type: "edit", id: "b" });
  connection.send({ type: "suggest", id: "c" });
  say({ type: "done", id: "a", seq: 8 });
  made[0].onclose({ code: 1006 });
  assert.equal(told.at(-1), "lost");
  connection.hurry();
  made[1].onopen();
  assert.equal(made[1].sent[0].seen, 7);
  say({ type: "welcome", seq: 8 });
  assert.deepEqual(
    made[1].sent.slice(1).map((/** @type {any} */ one) => one.id),
    ["b"],
    "questions are not asked again",
  );
  connection.close();
});

test("a server that refuses is not asked again", () => {
  const { connection, made, told } = lines();
  made[0].onclose({ code: 4404 });
  connection.hurry();
  assert.equal(made.length, 1);
  assert.equal(told.at(-1), "refused");
});
