/** Arenas with a durable tier of which only the shared log is used, and what is in it. */
import { type Arena, createArena } from '../../src/memory/arena.ts'
import { readChanges } from '../../src/lsm/change-record.ts'
import { Replay } from '../../src/lsm/replay.ts'
import type { SharedLog } from '../../src/lsm/shared-log.ts'
import { type TierGeometry, tierWordsFor, writeTierHead } from '../../src/lsm/tier-layout.ts'
import type { Engine } from '../../src/store/engine.ts'
import { type OpenOptions, checkOptions } from '../../src/store/options.ts'

/** As an arena of a store, and besides a ring of so many granules. */
export function tieredArena(ringGranules: number, options: OpenOptions): Arena {
  const { geometry } = checkOptions(options)
  const tier: TierGeometry = { ringGranules, versions: 2, versionBytes: 256, cacheBytes: 8192, blockBytes: 256 }
  const arena = createArena({ ...geometry, tierWords: tierWordsFor(geometry.maxParticipants, tier) })
  writeTierHead(arena, tier)
  return arena
}

/** Position and type of each complete slot from STABLE to the first that is not finished, and where that is. */
export function slotsOf(log: SharedLog): { readonly slots: number[]; readonly end: number } {
  const slots: number[] = []
  let position = log.stable()
  for (let granules = log.finishedAt(position); granules > 0; granules = log.finishedAt(position)) {
    if (log.isComplete(position)) slots.push(position)
    position = log.endOf(position, granules)
  }
  return { slots, end: position }
}

/** Makes the changes of a ring's slots in another engine. */
export function replayRing(log: SharedLog, bytes: Uint8Array, into: Engine): void {
  const replay = new Replay(into.tree)
  into.replay(() => {
    for (const position of slotsOf(log).slots) {
      const at = log.payloadAt(position) * 4
      readChanges(log.typeAt(position), bytes, at, log.lengthAt(position), replay, { name: 'ring', offset: position })
    }
  })
}

/** Gives out the room of all finished slots, as if they were durable. */
export function releaseRing(log: SharedLog): void {
  const { end } = slotsOf(log)
  log.setStable(end)
  log.release(end)
  log.announce()
}

/** A map after each of the slots that are complete, from the empty one on, keys and values as latin1. */
export function mapsOf(log: SharedLog, bytes: Uint8Array): Map<string, string>[] {
  const text = (at: number, length: number): string => String.fromCharCode(...bytes.slice(at, at + length))
  const maps = [new Map<string, string>()]
  for (const position of slotsOf(log).slots) {
    const map = new Map(maps.at(-1)!)
    const visitor = {
      put: (_: Uint8Array, at: number, keyBytes: number, valueBytes: number) =>
        void map.set(text(at, keyBytes), text(at + keyBytes, valueBytes)),
      remove: (_: Uint8Array, at: number, keyBytes: number) => void map.delete(text(at, keyBytes)),
    }
    const file = { name: 'ring', offset: position }
    readChanges(log.typeAt(position), bytes, log.payloadAt(position) * 4, log.lengthAt(position), visitor, file)
    maps.push(map)
  }
  return maps
}
