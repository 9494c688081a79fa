// Starts the dashboard. A file of its own: a strict Content-Security-Policy
// forbids scripts inside a page. (`trunk serve` writes a script of its own.)
import init from "./frontend.js";

init({ module_or_path: "frontend_bg.wasm" });
