// Reads pairs of positions as JSON and prints what fractional-indexing puts between each, or null where it refuses.
import { readFileSync } from "node:fs";
import { argv } from "node:process";
import { generateKeyBetween } from "fractional-indexing";

function between(low, high) {
  try {
    return generateKeyBetween(low, high);
  } catch {
    return null;
  }
}

console.log(JSON.stringify(JSON.parse(readFileSync(argv[2])).map(([low, high]) => between(low, high))));
