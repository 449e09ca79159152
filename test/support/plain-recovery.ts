/**
 * Opens what is on a disk as `open` does, into nothing but a sum of what is there: the production's inspection, manifest,
 * tables, logs and replay, without a tree. In one arena that is used again and again.
 */
import { Tier } from '../../src/lsm/tier.ts'
import { type TierGeometry, placeTier, tierWordsFor, writeTierHead } from '../../src/lsm/tier-layout.ts'
import { begin, inspect } from '../../src/lsm/tier-opening.ts'
import { TierWords } from '../../src/lsm/tier-words.ts'
import { type Arena, createArena } from '../../src/memory/arena.ts'
import { EpochScheme } from '../../src/reclaim/epoch.ts'
import { Participant, claimSlot } from '../../src/reclaim/participant.ts'
import { geometry } from '../unit/memory/geometry.ts'
import { EntrySum, entryHash } from './entry-hash.ts'
import type { InlineSizes } from './inline-store.ts'
import type { SimulatedDisk } from './simulated-disk.ts'

const THREADS = 4

export class PlainRecovery {
  private readonly arena: Arena
  private readonly blank: Int32Array
  private readonly tier: TierGeometry
  private readonly settings: InlineSizes['settings']

  constructor({ tier, settings }: InlineSizes) {
    this.tier = { ...tier, cacheBytes: 0 }
    this.settings = settings
    const tierWords = tierWordsFor(THREADS, this.tier)
    const segments = { segmentWords: 256, arenaWords: 2 ** 15 + tierWords }
    this.arena = createArena(geometry({ ...segments, maxParticipants: THREADS, tierWords }))
    writeTierHead(this.arena, this.tier)
    this.blank = this.arena.words.slice()
  }

  /** @returns the EntrySum of what is there. @throws as opening does */
  open(disk: SimulatedDisk): number {
    const { arena } = this
    const found = inspect(disk, 'crash', 1)
    arena.words.set(this.blank)
    const settings = { ...this.settings, generation: found.manifest.generation }
    TierWords.init(arena.words, placeTier(arena.layout.tierAt, THREADS, this.tier), settings, found.nextFileId)
    const me = claimSlot(arena, 1)
    if (!(me instanceof Participant)) throw new Error('no participant')
    const tier = new Tier(arena, new EpochScheme(arena, me), me, disk)
    const sum = new EntrySum()
    const there = new Map<string, number>()
    const put = (key: string, hash: number | undefined): void => {
      const old = there.get(key)
      if (old !== undefined) sum.subtract(old)
      if (hash === undefined) there.delete(key)
      else {
        there.set(key, hash)
        sum.add(hash)
      }
    }
    begin(tier, disk, found, {
      put: (bytes, at, keyBytes, valueBytes) =>
        put(text(bytes, at, keyBytes), entryHash(bytes, at, keyBytes, valueBytes)),
      remove: (bytes, at, keyBytes) => put(text(bytes, at, keyBytes), undefined),
    })
    return sum.value
  }
}

function text(bytes: Uint8Array, at: number, length: number): string {
  let string = ''
  for (let i = at; i < at + length; i++) string += String.fromCharCode(bytes[i]!)
  return string
}
