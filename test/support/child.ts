import { execFile } from 'node:child_process'

export interface Ended {
  /** The exit code, or null if the program did not end by itself and had to be killed. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program of test/support/programs in a process of its own. */
export function runProgram(name: string, ...args: string[]): Promise<Ended> {
  const file = new URL(`./programs/${name}.ts`, import.meta.url)
  const register = new URL('./register-tsx.mjs', import.meta.url)
  const argv = ['--import', register.href, file.pathname, ...args]
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      argv,
      { timeout: 30_000, killSignal: 'SIGKILL' },
      (_error, stdout, stderr) => {
        resolve({ code: child.exitCode, stdout, stderr })
      },
    )
  })
}
