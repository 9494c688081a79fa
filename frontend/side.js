// Starts the pages beside the dashboard. A file of its own: a strict
// Content-Security-Policy forbids scripts inside a page.
import init from "./lab.js";

init({ module_or_path: "lab_bg.wasm" });
