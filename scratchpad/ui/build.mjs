// Bundles static/src into static/page.js. With --check it writes nothing and fails where the file isn't what the
// sources give, or where a source breaks a rule of the house: under 200 lines, none over 120 characters.
import { build } from "esbuild";
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const check = process.argv.includes("--check");
const outfile = join(here, "static/page.js");
const result = await build({
  entryPoints: [join(here, "static/src/main.js")],
  absWorkingDir: here,
  outfile,
  bundle: true,
  format: "iife",
  minifySyntax: true,
  minifyWhitespace: true,
  charset: "utf8",
  target: "es2022",
  legalComments: "inline",
  write: !check,
});

if (check) {
  const wrong = [];
  if (readFileSync(outfile, "utf8") !== result.outputFiles[0].text)
    wrong.push("static/page.js isn't what its sources give: npm run build");
  const sources = readdirSync(join(here, "static/src"), { recursive: true }).map((name) =>
    join("static/src", name),
  );
  for (const name of [...sources.filter((name) => name.endsWith(".js")), "static/page.css"]) {
    const lines = readFileSync(join(here, name), "utf8").split("\n");
    if (name.endsWith(".js") && lines.length > 200) wrong.push(`${name} has ${lines.length} lines`);
    lines.forEach(
      (line, i) => line.length > 120 && wrong.push(`${name}:${i + 1} has ${line.length} characters`),
    );
  }
  for (const line of wrong) console.error(line);
  process.exit(wrong.length ? 1 : 0);
}
