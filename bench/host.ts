/** Where and with what it is measured. */
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, release, totalmem, type } from 'node:os'
import type { Machine } from './report.ts'

function versionOf(name: string): string {
  const path = name === 'heddle' ? '../package.json' : `../node_modules/${name}/package.json`
  const { version } = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as { version: string }
  return version
}

/** @param packages what is measured beside heddle */
export function describeHost(packages: readonly string[]): Machine {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    system: `${type()} ${release()}`,
    node: process.versions.node,
    v8: process.versions.v8,
    packages: Object.fromEntries(['heddle', ...packages].map((name) => [name, versionOf(name)])),
    date: new Date().toISOString(),
  }
}
