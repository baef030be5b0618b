// Builds dist/: one file of each kind, so that a page can also copy them.
import { spawnSync } from "node:child_process";
import { copyFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { rollup } from "rollup";
import { dts } from "rollup-plugin-dts";

const ENTRIES = ["index", "dialect"];
const root = dirname(dirname(fileURLToPath(import.meta.url)));
process.chdir(root);
const compiler = createRequire(import.meta.url).resolve("typescript/bin/tsc");

for (const folder of ["build", "dist"]) rmSync(folder, { recursive: true, force: true });
const compiled = spawnSync(process.execPath, [compiler, "--project", "."], { stdio: "inherit" });
if (compiled.status !== 0) process.exit(1);

for (const name of ENTRIES) {
  const banner = `// ${name === "index" ? "task-api-client" : `task-api-client/${name}`}, built from clients/js of the Task API.`;
  const code = await rollup({ input: join("build", `${name}.js`) });
  await code.write({ file: `dist/${name}.js`, format: "es", banner });
  await code.write({ file: `dist/${name}.cjs`, format: "cjs", exports: "named", banner });
  const types = await rollup({ input: join("build", `${name}.d.ts`), plugins: [dts()] });
  await types.write({ file: `dist/${name}.d.ts`, format: "es", banner });
  copyFileSync(`dist/${name}.d.ts`, `dist/${name}.d.cts`);
}
rmSync("build", { recursive: true });
