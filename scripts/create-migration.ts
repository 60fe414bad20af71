/** `node scripts/create-migration.ts add_port_shares`: the next number, an up and a down file to fill in. */
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { loadMigrations, migrationsDir } from "../src/coderd/database/migrate.ts";

export interface CreateOptions {
  readonly dir: string;
}

/** Gives the two paths. */
export async function createMigration(name: string, options: CreateOptions): Promise<string[]> {
  if (!/^[a-z][a-z0-9_]{2,60}$/.test(name)) {
    throw new Error(`name must be like add_port_shares: received ${name}`);
  }
  const number = String((await loadMigrations(options.dir)).length + 1).padStart(6, "0");
  const paths = ["up", "down"].map((direction) => join(options.dir, `${number}_${name}.${direction}.sql`));
  for (const path of paths) {
    if (existsSync(path)) throw new Error(`${path} exists`);
    await writeFile(path, path.endsWith(".up.sql") ? "-- Why this change.\n\n" : "");
  }
  return paths;
}

if (import.meta.main) {
  const [name] = process.argv.slice(2);
  if (name === undefined) throw new Error("usage: create-migration.ts name_of_the_change");
  for (const path of await createMigration(name, { dir: migrationsDir })) console.log(path);
}
