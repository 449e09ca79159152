/** Where and with what it was measured. */
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, release, totalmem, type } from 'node:os'
import type { Machine } from './report.ts'

const ROOT = new URL('../', import.meta.url)

function versionOf(file: URL): string | null {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
  } catch {
    return null
  }
}

/**
 * The machine, and the versions of heddle and of other packages, as far as they are installed.
 * @param names of packages
 */
export function describeMachine(names: readonly string[]): Machine {
  const packages: Record<string, string> = { heddle: versionOf(new URL('package.json', ROOT)) ?? 'unknown' }
  for (const name of names) {
    const version =
      versionOf(new URL(`bench/engines/node_modules/${name}/package.json`, ROOT)) ??
      versionOf(new URL(`node_modules/${name}/package.json`, ROOT))
    if (version !== null) packages[name] = version
  }
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    system: `${type()} ${release()}`,
    node: process.versions.node,
    v8: process.versions.v8,
    packages,
    date: new Date().toISOString(),
  }
}
