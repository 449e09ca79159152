/** Rewritten modules, loaded by Node itself from a folder of their own. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import { runtime } from './scheduler.ts'

const globals = globalThis as unknown as { explorerTestRuntime: typeof runtime }

export type Loaded = Record<string, (...args: unknown[]) => unknown>

export class NativeModules {
  /** How the modules import the runtime. */
  readonly runtime: string
  private readonly folder: string
  private readonly root: string

  /** @param root the folder that the paths of the modules are seen from */
  constructor(root: string) {
    this.root = root
    this.folder = mkdtempSync(join(tmpdir(), 'heddle-transform-'))
    globals.explorerTestRuntime = runtime
    const names = Object.keys(runtime).filter((name) => name.startsWith('$'))
    const path = join(this.folder, 'runtime.mjs')
    const exported = names.map((name) => `export const ${name} = globalThis.explorerTestRuntime.${name}\n`)
    writeFileSync(path, exported.join(''))
    this.runtime = pathToFileURL(path).href
  }

  add(path: string, code: string): void {
    const target = this.target(path)
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, code.replace(/(from\s+["']\.[^"']*)\.[jt]s(["'])/g, '$1.mjs$2'))
  }

  async load(path: string): Promise<Loaded> {
    return (await import(/* @vite-ignore */ pathToFileURL(this.target(path)).href)) as Loaded
  }

  /** Where a module is stored. */
  target(path: string): string {
    return join(this.folder, relative(this.root, path).replace(/\.[jt]s$/, '.mjs'))
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}
