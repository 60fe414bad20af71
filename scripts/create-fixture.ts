/**
 * `node scripts/create-fixture.ts [number]`: an empty fixture for a migration (default: the newest). A fixture puts
 * rows into what the migration made; tests apply it right after its migration, so that later ones run on data.
 */
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { loadMigrations, migrationsDir } from "../src/coderd/database/migrate.ts";

export async function createFixture(
  version: number | undefined,
  options: { readonly dir: string },
): Promise<string> {
  const migrations = await loadMigrations(options.dir);
  const migration = migrations[(version ?? migrations.length) - 1];
  if (!migration) throw new Error(`there is no migration ${version}: the newest is ${migrations.length}`);
  const folder = join(options.dir, "fixtures");
  const path = join(folder, `${String(migration.version).padStart(6, "0")}_${migration.name}.up.sql`);
  if (existsSync(path)) throw new Error(`${path} exists`);
  await mkdir(folder, { recursive: true });
  await writeFile(
    path,
    `-- Rows for what ${migration.name} made; ids are fixed, so that later fixtures can use them.\n\n`,
  );
  return path;
}

if (import.meta.main) {
  const [number] = process.argv.slice(2);
  const version = number === undefined ? undefined : Number(number);
  if (version !== undefined && !Number.isInteger(version)) {
    throw new Error(`migration number: received ${number}`);
  }
  console.log(await createFixture(version, { dir: migrationsDir }));
}
