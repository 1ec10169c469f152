// The page's scripts as one: what Gradio's components (layout.py) and an exported case call, as `window.Scratchpad`.
import * as actions from "./actions.js";
import * as asking from "./asking.js";
import { mount } from "./app.js";
import * as derive from "./derive.js";
import * as heads from "./heads.js";
import * as sheet from "./sheet.js";
import { recall, set, state, undo } from "./store.js";
import { channel, done, lost } from "./wire.js";

window.Scratchpad = {
  mount, // (element): draws the page there
  channel, // (name, line): opens a line to the server
  lost, // (name): the server didn't take a request
  done, // (name): a request ended
  ...actions,
  ...asking,
  ...{ state, set, undo, recall, derive, heads, sheet },
};
