import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const project = fileURLToPath(new URL('../../../', import.meta.url))

export const manifest = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

export interface Ended {
  readonly code: number | string
  readonly out: string
  readonly err: string
}

/** Runs the command line from its sources. */
export function heddle(args: readonly string[], limitMs = 60_000): Promise<Ended> {
  const main = fileURLToPath(new URL('src/cli/main.ts', new URL('../../../', import.meta.url)))
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--import', 'tsx', main, ...args],
      { cwd: project, timeout: limitMs, killSignal: 'SIGKILL' },
      (error, out, err) => resolve({ code: error === null ? 0 : (error.code ?? error.signal ?? 'unknown'), out, err }),
    )
  })
}
