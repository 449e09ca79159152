/** Where a search stands, kept in a file so that it can go on another day. */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { HeddleError } from '../memory/error.ts'
import type { SavedChoices } from './choices.ts'

const FORMAT = 1
const SAVE_MS = 5_000

interface Saved {
  readonly format: number
  /** What the search is of: a checkpoint of another one is refused. */
  readonly subject: string
  readonly parts: Record<string, SavedChoices | 'complete'>
  readonly longest: readonly number[]
  readonly executions: number
  readonly steps: number
}

export class Checkpoint {
  /** Parts of the search by name: done, or where they stand. */
  readonly parts: Record<string, SavedChoices | 'complete'> = {}
  longest: readonly number[] = []
  /** What earlier sessions have run. */
  executions = 0
  steps = 0
  private readonly path: string
  private readonly subject: string
  private lastSave = 0

  /**
   * @param subject describes the scenario
   * @throws HeddleError HEDDLE_INVALID_OPTION if the file is no checkpoint of this search
   */
  constructor(path: string, subject: string) {
    this.path = path
    this.subject = subject
    if (!existsSync(path)) return
    let saved: Saved
    try {
      saved = JSON.parse(readFileSync(path, 'utf8')) as Saved
    } catch {
      saved = { format: 0, subject: '', parts: {}, longest: [], executions: 0, steps: 0 }
    }
    if (saved.format !== FORMAT || saved.subject !== subject) {
      throw new HeddleError(
        'HEDDLE_INVALID_OPTION',
        `explore: ${path} is no checkpoint of this scenario in this mode; delete it, or name another file`,
      )
    }
    Object.assign(this.parts, saved.parts)
    this.longest = saved.longest
    this.executions = saved.executions
    this.steps = saved.steps
  }

  /** Whether it is time to save. */
  isDue(nowMs: number): boolean {
    return nowMs - this.lastSave >= SAVE_MS
  }

  save(nowMs: number, longest: readonly number[], executions: number, steps: number): void {
    this.lastSave = nowMs
    const saved: Saved = { format: FORMAT, subject: this.subject, parts: this.parts, longest, executions, steps }
    // Written aside first: whoever is interrupted keeps the checkpoint before.
    writeFileSync(`${this.path}.new`, JSON.stringify(saved))
    renameSync(`${this.path}.new`, this.path)
  }
}
