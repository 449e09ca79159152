import { writeSync } from 'node:fs'

/**
 * Writes all of it. A pipe takes what it has room for.
 * @returns false if the reader of a pipe has left
 */
export function writeAll(to: number, text: string): boolean {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length;) {
    try {
      at += writeSync(to, bytes, at)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EPIPE') return false
      if (code !== 'EAGAIN') throw error
    }
  }
  return true
}
