/**
 * `heddle/explore/vite`: instruments source files under vitest. Give it to a test project of its own, since everything
 * that it includes runs slower:
 *
 *     test: { projects: [{ plugins: [exploreVite({ include: ['src', 'test/explore'] })], test: { include: [...] } }] }
 */
import { fileURLToPath } from 'node:url'
import { runtimeUrl, sourceFiles } from './files.ts'
import { Project } from './transform/index.ts'

export interface ExploreViteOptions {
  /** Files and folders that are instrumented: the code under test, and the scenarios. Relative to the project's root. */
  readonly include: readonly string[]
  /** Files and folders below these that are not. */
  readonly exclude?: readonly string[]
}

/** The part of a Vite plugin that is used here. */
export interface ExplorePlugin {
  readonly name: string
  readonly enforce: 'pre'
  configResolved(config: { readonly root: string }): void
  watchChange(): void
  transform(code: string, id: string): { code: string; map: never } | undefined
}

/** @returns a plugin for Vite's `plugins` */
export function exploreVite({ include, exclude = [] }: ExploreViteOptions): ExplorePlugin {
  let root = process.cwd()
  let project: Project | undefined
  // Colours are found over all files at once, so one changed file may change what becomes of the others.
  const current = (): Project =>
    (project ??= new Project({ files: sourceFiles(root, include, exclude), runtime: fileURLToPath(runtimeUrl()) }))
  return {
    name: 'heddle-explore',
    enforce: 'pre',
    configResolved(config) {
      root = config.root
    },
    watchChange() {
      project = undefined
    },
    transform(code, id) {
      const path = id.split('?', 1)[0]!
      if (!current().has(path)) return undefined
      const instrumented = current().instrument(path, code)
      return { code: instrumented.code, map: instrumented.map as never }
    },
  }
}

export default exploreVite
