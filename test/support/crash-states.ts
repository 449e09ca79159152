/**
 * What a crash may leave, for each moment of a disk's journal.
 *
 * A file is what its last good sync made durable, and of each change since: all, nothing, or sector by sector (512 bytes,
 * cut at multiples of 512) the old bytes, the new ones, zeros or garbage; in any combination, so that later changes may
 * survive earlier ones. A file that was to grow may have its new length, with zeros. The directory is what its last good
 * sync made durable, and any choice of the creations, renamings and removals since. What a failed sync dropped may have
 * got to the disk or not, and no later sync changes that. What was synced stays.
 *
 * All is fixed by the seed.
 */
import type { Change, Files, SimulatedDisk } from './simulated-disk.ts'
import type { Random } from './random.ts'

const SECTOR = 512

type FileChange = Extract<Change, { kind: 'write' | 'truncate' }>
type EntryChange = Extract<Change, { kind: 'create' | 'rename' | 'remove' }>

interface FileState {
  durable: Uint8Array
  pending: FileChange[]
  /** What is there if all that is pending is; made when it is needed. */
  all: Uint8Array | undefined
}

/** What a state shows of a crash, as bits. */
export const KINDS = {
  /** A change of a file that was not synced is not there. */
  dropped: 1,
  /** One is there, and an earlier one of the same file is not. */
  reordered: 2,
  /** One is there in part. */
  torn: 4,
  zeros: 8,
  garbage: 16,
  /** A name is not there, or there again, or has not changed, since the directory was not synced. */
  entries: 32,
} as const

/** How a state is chosen. The extremes come up often, since most faults show there. */
type Style = 'none' | 'all' | 'mixed'

/** The disk after a prefix of the journal, as far as it is certain, and what is not. */
export class CrashModel {
  private readonly files = new Map<number, FileState>()
  private readonly entries = new Map<string, number>()
  private pendingEntries: EntryChange[] = []
  private readonly rng: Random
  /** KINDS of the state that was made last. */
  kinds = 0
  private isDropped = false

  /** @param initial what `SimulatedDisk.initial` gave, if the disk was not empty */
  constructor(rng: Random, initial: ReturnType<SimulatedDisk['initial']> = new Map()) {
    this.rng = rng
    for (const [name, { inode, bytes }] of initial) {
      this.entries.set(name, inode)
      this.files.set(inode, { durable: bytes, pending: [], all: undefined })
    }
  }

  /** Goes on by one change. */
  apply(change: Change): void {
    switch (change.kind) {
      case 'write':
      case 'truncate':
        this.file(change.inode).pending.push(change)
        this.file(change.inode).all = undefined
        return
      case 'sync':
        if (change.outcome !== 'kept') this.settle(this.file(change.inode), change.outcome === 'good')
        return
      case 'sync directory':
        if (change.outcome === 'kept') return
        for (const entry of this.pendingEntries) {
          if (change.outcome === 'good' || this.rng.chance(50)) applyEntry(this.entries, entry)
        }
        this.pendingEntries = []
        return
      default:
        if (change.kind === 'create')
          this.files.set(change.inode, { durable: new Uint8Array(0), pending: [], all: undefined })
        this.pendingEntries.push(change)
    }
  }

  /** Number of changes that a crash now may lose. */
  uncertain(): number {
    let count = this.pendingEntries.length
    for (const { pending } of this.files.values()) count += pending.length
    return count
  }

  /** A state that a crash now may leave. States share what is the same in them, so their bytes must not be changed. */
  state(): Files {
    this.kinds = 0
    const data = this.style()
    const directory = this.style()
    const entries = new Map(this.entries)
    for (const change of this.pendingEntries) {
      if (directory === 'all' || (directory === 'mixed' && this.rng.chance(50))) applyEntry(entries, change)
      else this.kinds |= KINDS.entries
    }
    const left = new Map<string, Uint8Array>()
    for (const [name, inode] of entries) left.set(name, this.contents(this.file(inode), data))
    return left
  }

  private style(): Style {
    return this.rng.pick<Style>(['none', 'all', 'mixed', 'mixed'])
  }

  private file(inode: number): FileState {
    const file = this.files.get(inode)
    if (file === undefined) throw new Error(`the journal does not say how inode ${inode} came to be`)
    return file
  }

  private settle(file: FileState, good: boolean): void {
    file.durable = this.contents(file, good ? 'all' : this.style())
    file.pending = []
    file.all = undefined
  }

  private contents(file: FileState, style: Style): Uint8Array {
    const { durable, pending } = file
    if (pending.length === 0) return durable
    if (style === 'none') {
      this.kinds |= KINDS.dropped
      return durable
    }
    if (style === 'all') return (file.all ??= this.changed(file, style))
    return this.changed(file, style)
  }

  private changed({ durable, pending }: FileState, style: Style): Uint8Array {
    let size = durable.length
    for (const change of pending) size = Math.max(size, endOf(change))
    const bytes = new Uint8Array(size)
    bytes.set(durable)
    let length = durable.length
    this.isDropped = false
    for (const change of pending) length = this.applyToFile(bytes, length, change, style)
    return length === size ? bytes : bytes.slice(0, length)
  }

  /** @returns the length after it */
  private applyToFile(bytes: Uint8Array, length: number, change: FileChange, style: Style): number {
    const fate = style === 'all' ? 0 : this.rng.int(4)
    if (fate < 2 && this.isDropped) this.kinds |= KINDS.reordered
    if (change.kind === 'truncate') {
      if (fate > 1) return this.dropped(length)
      bytes.fill(0, Math.min(change.length, length), length)
      return change.length
    }
    // 0 and 1: all of it. 2: nothing, but perhaps the length. 3: torn.
    if (fate === 2) return this.dropped(this.rng.chance(50) ? Math.max(length, endOf(change)) : length)
    if (fate === 3) return this.tear(bytes, length, change)
    bytes.set(change.bytes, change.offset)
    return Math.max(length, endOf(change))
  }

  private dropped(length: number): number {
    this.isDropped = true
    this.kinds |= KINDS.dropped
    return length
  }

  private tear(bytes: Uint8Array, length: number, change: Extract<Change, { kind: 'write' }>): number {
    const end = endOf(change)
    let reached = length
    this.kinds |= KINDS.torn
    for (let at = change.offset; at < end;) {
      const next = Math.min(end, (Math.floor(at / SECTOR) + 1) * SECTOR)
      const fate = this.rng.int(4)
      if (fate === 0) bytes.set(change.bytes.subarray(at - change.offset, next - change.offset), at)
      else if (fate === 1) bytes.fill(0, at, next)
      else if (fate === 2) fillWithGarbage(bytes, at, next, this.rng.int(2 ** 31))
      if (fate !== 3) reached = Math.max(reached, next)
      this.kinds |= fate === 1 ? KINDS.zeros : fate === 2 ? KINDS.garbage : 0
      at = next
    }
    return reached
  }
}

function fillWithGarbage(bytes: Uint8Array, from: number, to: number, seed: number): void {
  let word = seed
  for (let i = from; i < to; i++) {
    word = (Math.imul(word, 1_103_515_245) + 12_345) | 0
    bytes[i] = word >>> 16
  }
}

function endOf(change: FileChange): number {
  return change.kind === 'write' ? change.offset + change.bytes.length : change.length
}

function applyEntry(entries: Map<string, number>, change: EntryChange): void {
  if (change.kind === 'create') entries.set(change.name, change.inode)
  else if (change.kind === 'remove') entries.delete(change.name)
  else {
    entries.delete(change.from)
    entries.set(change.to, change.inode)
  }
}

/**
 * Visits states for each prefix of a journal: one for a prefix that leaves nothing uncertain, else `each`.
 * @param visit is given a state and the number of changes that came before the crash
 * @returns states visited
 */
export function forEachCrash(
  journal: readonly Change[],
  rng: Random,
  each: number,
  visit: (files: Files, prefix: number) => void,
  initial?: ReturnType<SimulatedDisk['initial']>,
): number {
  const model = new CrashModel(rng, initial)
  let states = 0
  for (let prefix = 0; prefix <= journal.length; prefix++) {
    if (prefix > 0) model.apply(journal[prefix - 1]!)
    const count = model.uncertain() === 0 ? 1 : each
    for (let i = 0; i < count; i++, states++) visit(model.state(), prefix)
  }
  return states
}

/** States that a crash after the first `prefix` changes of a journal may leave. */
export function* crashStates(
  journal: readonly Change[],
  prefix: number,
  rng: Random,
  initial?: ReturnType<SimulatedDisk['initial']>,
): Generator<Files> {
  const model = new CrashModel(rng, initial)
  for (const change of journal.slice(0, prefix)) model.apply(change)
  for (;;) yield model.state()
}
