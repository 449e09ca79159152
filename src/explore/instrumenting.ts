/** Installs the module hooks. */
import { register } from 'node:module'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { LoaderData } from './loader.ts'

/**
 * From now on, these files and what they reach by relative imports are instrumented when they are loaded.
 * @param entries absolute paths
 */
export function instrumentFrom(entries: readonly string[]): void {
  const extension = extname(fileURLToPath(import.meta.url))
  const data: LoaderData = { entries }
  register(`./loader${extension}`, import.meta.url, { data })
  process.setSourceMapsEnabled(true)
}
