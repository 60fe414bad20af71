/**
 * `npm run gen`, SQL part: src/coderd/database/queries/*.sql → gen/*.gen.ts, typed by a throw-away PostgreSQL that has
 * all migrations. `check` compares instead of writing and gives the files that are not current.
 */
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { clientConfig, type PgConnection } from "../src/coderd/database/connection.ts";
import { startTestCluster } from "../src/coderd/database/dbtestutil/cluster.ts";
import { analyse } from "./gen-sql/analyse.ts";
import { readCatalog } from "./gen-sql/catalog.ts";
import { domainName, emitDomain, emitList, emitModels } from "./gen-sql/emit.ts";
import { parseQueries } from "./gen-sql/source.ts";

const database = join(import.meta.dirname, "../src/coderd/database");

export interface GenOptions {
  readonly check: boolean;
}

/** Names of files that were written, or with `check` would be. Throws with file and query for a query that is wrong. */
export async function genSql(options: GenOptions): Promise<string[]> {
  await using cluster = await startTestCluster();
  const files = await generate({ ...cluster.connection, database: "migrated" }, join(database, "queries"));
  const dir = join(database, "gen");
  await mkdir(dir, { recursive: true });
  const stale = (await readdir(dir)).filter((name) => name.endsWith(".gen.ts") && !files.has(name));
  const changed: string[] = [...stale];
  for (const name of stale) if (!options.check) await rm(join(dir, name));
  for (const [name, text] of files) {
    const before = await readFile(join(dir, name), "utf8").catch(() => undefined);
    if (before === text) continue;
    changed.push(name);
    if (!options.check) await writeFile(join(dir, name), text);
  }
  return changed;
}

/** All generated files by name. */
export async function generate(connection: PgConnection, queriesDir: string): Promise<Map<string, string>> {
  const client = new pg.Client(clientConfig(connection));
  await client.connect();
  try {
    const catalog = await readCatalog(client);
    const out = new Map([["models.gen.ts", emitModels(catalog)]]);
    const sources = (await readdir(queriesDir)).filter((name) => name.endsWith(".sql")).toSorted();
    const seen = new Map<string, string>();
    for (const file of sources) {
      const analysed = [];
      for (const source of parseQueries(file, await readFile(join(queriesDir, file), "utf8"))) {
        const other = seen.get(source.name);
        if (other !== undefined) throw new Error(`${file}: ${source.name}: is in ${other} too`);
        seen.set(source.name, file);
        analysed.push(await analyse(client, catalog, source));
      }
      out.set(`${domainName(file)}.gen.ts`, emitDomain(catalog, file, analysed));
    }
    out.set("queries.gen.ts", emitList(sources));
    return out;
  } finally {
    await client.end();
  }
}

if (import.meta.main) {
  const check = process.argv.includes("--check");
  const changed = await genSql({ check });
  for (const name of changed) console.log(check ? `not current: ${name}` : `wrote ${name}`);
  if (check && changed.length > 0) {
    console.error("generated SQL files are not current: npm run gen");
    process.exitCode = 1;
  }
}
