// Compiles the modules that `import sympy` loads, with the site's own Python: the browser then need not. Run by node.
"use strict";
const fs = require("node:fs");
const [folder, packed, out] = process.argv.slice(2);
const { loadPyodide } = require(`${folder}/pyodide.js`);

(async () => {
  const pyodide = await loadPyodide({ indexURL: folder });
  pyodide.FS.writeFile("/packed.zip", new Uint8Array(fs.readFileSync(packed)));
  pyodide.runPython(`
import importlib._bootstrap_external as machine, importlib.util, sys, zipfile
sys.path.insert(0, "/packed.zip")
import sympy
used = {module.__file__.removeprefix("/packed.zip/") for module in list(sys.modules.values())
        if (getattr(module, "__file__", None) or "").startswith("/packed.zip/")}
with zipfile.ZipFile("/packed.zip") as packed, zipfile.ZipFile("/out.zip", "w", zipfile.ZIP_DEFLATED) as made:
    for name in packed.namelist():
        data, about = packed.read(name), zipfile.ZipInfo(name)
        if name in used:
            code = compile(data, "/course/" + name, "exec", dont_inherit=True)
            data, about = machine._code_to_hash_pyc(code, importlib.util.source_hash(data), False), zipfile.ZipInfo(name + "c")
        about.compress_type = zipfile.ZIP_DEFLATED
        made.writestr(about, data)
`);
  fs.writeFileSync(out, pyodide.FS.readFile("/out.zip"));
})();
