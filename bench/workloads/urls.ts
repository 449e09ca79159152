/** URLs of real packages and of the files in them: what is installed here, looked up on the disk and not on the net. */
import { type Dirent, readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../node_modules/', import.meta.url))
const MOST_URLS = 20_000
const MOST_BYTES = 180

let urls: string[] | undefined

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
  } catch {
    return []
  }
}

function collect(name: string, folder: string, below: string, found: string[]): void {
  for (const entry of entriesOf(folder)) {
    if (found.length >= MOST_URLS) return
    const path = below + entry.name
    if (entry.isDirectory()) {
      if (entry.name !== 'node_modules') collect(name, `${folder}/${entry.name}`, `${path}/`, found)
    } else {
      const url = `https://registry.example/${name}/-/${path}`
      // Only what is one byte for each character, so that every engine measures it alike.
      if (url.length <= MOST_BYTES && /^[\x20-\x7e]+$/.test(url)) found.push(url)
    }
  }
}

/** In order, each once; the same on every call. */
export function packageUrls(): readonly string[] {
  if (urls === undefined) {
    const found: string[] = []
    for (const entry of entriesOf(ROOT)) {
      if (entry.name.startsWith('.')) continue
      if (!entry.name.startsWith('@')) collect(entry.name, ROOT + entry.name, '', found)
      else {
        for (const inner of entriesOf(ROOT + entry.name)) {
          const name = `${entry.name}/${inner.name}`
          collect(name, ROOT + name, '', found)
        }
      }
    }
    if (found.length === 0) throw new Error('no packages are installed; run npm ci')
    // In the order that they have with a number behind them.
    urls = found.sort((a, b) => (`${a}?` < `${b}?` ? -1 : 1))
  }
  return urls
}
