/**
 * What a check of a whole directory has found: it goes on after each finding.
 *
 * Thread safety: belongs to one thread.
 */
import { FileError, findingOf } from './file-error.ts'

export interface Finding {
  readonly file: string
  /** In bytes from the beginning of the file; 0 where it concerns the whole file. */
  readonly offset: number
  readonly what: string
}

/** What was looked at. Bytes are those of files. */
export interface CheckCounts {
  manifests: number
  tables: number
  blocks: number
  entries: number
  logs: number
  records: number
  changes: number
  bytes: number
}

export class Findings {
  /** What is wrong. */
  readonly wrong: Finding[] = []
  /** What is not wrong, but worth knowing: files that the next start removes, an end that it cuts. */
  readonly notes: Finding[] = []
  readonly counts: CheckCounts = {
    manifests: 0,
    tables: 0,
    blocks: 0,
    entries: 0,
    logs: 0,
    records: 0,
    changes: 0,
    bytes: 0,
  }
  private readonly onProgress: (bytes: number) => void

  constructor(onProgress: (bytes: number) => void = () => {}) {
    this.onProgress = onProgress
  }

  add(file: string, offset: number, what: string): void {
    this.wrong.push({ file, offset, what })
  }

  note(file: string, offset: number, what: string): void {
    this.notes.push({ file, offset, what })
  }

  /** Bytes of files that have been read. */
  read(bytes: number): void {
    this.counts.bytes += bytes
    this.onProgress(this.counts.bytes)
  }

  /**
   * Does something, and takes note of what it finds wrong with a file: bytes, or that it cannot be read.
   * @returns what it gave, or undefined if it failed so; whatever else is thrown comes through
   */
  attempt<T>(run: () => T): T | undefined {
    try {
      return run()
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      this.add(error.file, error.offset, findingOf(error))
      return undefined
    }
  }
}
