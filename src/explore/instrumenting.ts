/** Installs the module hooks. */
import { register } from 'node:module'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { HeddleError } from '../memory/error.ts'
import type { LoaderData } from './loader.ts'

/** Peers of this package that are optional, since the engine needs none of them. */
const TRANSFORM_PACKAGES = ['oxc-parser', 'oxc-transform', '@jridgewell/remapping']

function requirePeer(name: string): void {
  try {
    import.meta.resolve(name)
  } catch {
    throw new HeddleError(
      'HEDDLE_INVALID_OPTION',
      `explore: the transform needs ${name}; npm install --save-dev ${TRANSFORM_PACKAGES.join(' ')}`,
    )
  }
}

/**
 * From now on, these files and what they reach by relative imports are instrumented when they are loaded.
 * @param entries absolute paths
 * @throws HeddleError HEDDLE_INVALID_OPTION if the packages of the transform are not installed
 */
export function instrumentFrom(entries: readonly string[]): void {
  for (const name of TRANSFORM_PACKAGES) requirePeer(name)
  const extension = extname(fileURLToPath(import.meta.url))
  const data: LoaderData = { entries }
  register(`./loader${extension}`, import.meta.url, { data })
  process.setSourceMapsEnabled(true)
}
