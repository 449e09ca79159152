import { readFileSync } from 'node:fs'

interface Manifest {
  readonly name?: unknown
  readonly version?: unknown
}

/**
 * The folder of this package, found by walking up from this file: the sources and the built files lie at different
 * depths below it.
 */
export function packageFolder(): URL {
  for (let folder = new URL('./', import.meta.url); ; folder = new URL('../', folder)) {
    if (manifestOf(folder)?.name === 'heddle') return folder
    if (folder.pathname === '/' || folder.href === new URL('../', folder).href) {
      throw new Error("heddle's package.json is missing: the installation is damaged, install it again")
    }
  }
}

export function version(): string {
  return String(manifestOf(packageFolder())?.version)
}

function manifestOf(folder: URL): Manifest | undefined {
  try {
    return JSON.parse(readFileSync(new URL('package.json', folder), 'utf8')) as Manifest
  } catch {
    return undefined
  }
}
