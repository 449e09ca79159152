/** What a process has in memory now, and what its files take. */
import { readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export interface Resident {
  /** Private memory: heaps, shared buffers, caches. */
  readonly privateBytes: number
  /** Pages of files that are mapped. */
  readonly mappedBytes: number
  /** What the files take on the file system. */
  readonly fileBytes: number
}

const SETTLE_MS = 500

/** What the files of a directory take on the file system. */
export function fileBytes(directory: string): number {
  let sum = 0
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    try {
      // Blocks of 512 bytes: files may have holes.
      sum += statSync(join(entry.parentPath, entry.name)).blocks * 512
    } catch {
      // An engine may throw a file away at any moment.
    }
  }
  return sum
}

function field(status: string, name: string): number {
  const found = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)
  return found === null ? 0 : Number(found[1]) * 1024
}

/** Collects garbage, lets background work come to rest, and looks. */
export async function measureResident(directory: string): Promise<Resident> {
  const gc = (globalThis as { gc?: () => void }).gc
  for (let i = 0; i < 2; i++) {
    gc?.()
    await sleep(SETTLE_MS)
  }
  const files = fileBytes(directory)
  try {
    const status = readFileSync('/proc/self/status', 'utf8')
    const mapped = field(status, 'RssFile') + field(status, 'RssShmem')
    return { privateBytes: field(status, 'RssAnon'), mappedBytes: mapped, fileBytes: files }
  } catch {
    return { privateBytes: process.memoryUsage().rss, mappedBytes: 0, fileBytes: files }
  }
}
