/** Checkers of the reconnecting terminal's messages. */
import assert from "node:assert/strict";
import * as pty from "#codersdk/workspacesdk/pty-protocol.ts";
import { bytes, text, type Checker } from "./checker.ts";

export const ptyCheckers: Readonly<Record<string, Checker>> = {
  "pty.init": (vector) => {
    const data = bytes(vector["hex"]);
    const decoded = pty.decodePtyInit(data);
    assert.ok(decoded);
    assert.equal(decoded.length, data.length);
    assert.equal(data.toString("utf8", 2), vector["json"]);
    assert.deepEqual(pty.encodePtyInit(decoded.init), data);
  },
  "pty.request": (vector) => {
    const json = text(vector["json"]);
    const request = { data: vector["data"], height: vector["height"], width: vector["width"] };
    const decoded = pty.decodePtyRequest(json);
    assert.deepEqual(decoded, request);
    assert.deepEqual([...new pty.PtyRequestReader().push(Buffer.from(json))], [request]);
    assert.deepEqual(JSON.parse(pty.encodePtyRequest(decoded).toString()), JSON.parse(json));
  },
};
