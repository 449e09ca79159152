/** Installs the engines heddle is measured against, once: they are no part of the project's own packages. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { findEntry } from './engines/catalog.ts'

const FOLDER = fileURLToPath(new URL('./engines/', import.meta.url))
const OUTPUT_LINES = 6

/** Packages of their own that some engines need, as found in the folder. */
function isInstalled(name: string): boolean {
  return existsSync(`${FOLDER}node_modules/${name}/package.json`) || existsSync(`${FOLDER}../../node_modules/${name}`)
}

/** @returns what there is to say about it, or null. An engine whose package fails is reported when it is loaded */
export function installPeers(engines: readonly string[], say: (text: string) => void): void {
  const missing = engines.some((engine) => {
    const { package: name } = findEntry(engine)
    return name !== null && !isInstalled(name)
  })
  if (!missing || existsSync(`${FOLDER}node_modules`)) return
  say('installing the engines to compare with (once; better-sqlite3 may be compiled, which takes a minute)')
  const run = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: FOLDER, encoding: 'utf8' })
  if (run.status === 0) return
  const output = `${run.stdout ?? ''}${run.stderr ?? ''}`.trim().split('\n').slice(-OUTPUT_LINES).join('\n')
  say(`npm ci in bench/engines failed; engines that need it are left out\n${output}`)
}
