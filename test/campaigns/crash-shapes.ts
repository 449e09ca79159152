/** The stores of the crash campaign: so small that a handful of changes flushes, compacts, splits and evicts. */
import type { InlineSizes } from '../support/inline-store.ts'
import type { RunShape } from '../support/mixed-run.ts'

const sizes = {
  geometry: {
    words: 40_960,
    segmentWords: 2048,
    pageIds: 64,
    leafEntries: 4,
    leafSlots: 2,
    innerEntries: 4,
    inlineBytes: 256,
    maxSnapshots: 4,
    clockBits: 28,
    snapshotMs: 0,
    snapshotWords: 2 ** 30,
    scheme: 'epoch',
    paranoid: false,
  },
  tier: { ringGranules: 256, versions: 8, versionBytes: 4096, cacheBytes: 8192, blockBytes: 512 },
  settings: { durability: 'group', groupMs: 10, memtableEntries: 5, memtableBytes: 2048 },
  maintainer: {
    table: { blockBytes: 256, restartInterval: 4 },
    tableBytes: 700,
    fileBytes: 2048,
    picking: { levelZeroTables: 2, levelOneBytes: 2000, growth: 2, levels: 4 },
    stepEntries: 6,
    retryMs: 0,
  },
} as const satisfies InlineSizes

/** Few keys, and changes that are durable by and by. */
export const LITTLE: RunShape = { name: 'little', sizes, keys: 12, valueBytes: 60, steps: 45, reads: 0 }

/** Each change is durable when its call returns. */
export const SYNCED: RunShape = {
  ...LITTLE,
  name: 'synced',
  sizes: { ...sizes, settings: { ...sizes.settings, durability: 'sync' } },
}

/** A store of about 120 KB in some 100 KB of memory, which is full of what is read. */
export const LARGER: RunShape = {
  name: 'larger than memory',
  sizes: {
    ...sizes,
    geometry: { ...sizes.geometry, words: 49_152, inlineBytes: 1024, pageIds: 512, leafEntries: 8, innerEntries: 8 },
    settings: { ...sizes.settings, memtableEntries: 40, memtableBytes: 8192 },
    tier: { ...sizes.tier, ringGranules: 512, versionBytes: 16_384 },
    maintainer: {
      ...sizes.maintainer,
      table: { blockBytes: 512, restartInterval: 8 },
      tableBytes: 8192,
      fileBytes: 8192,
      picking: { levelZeroTables: 2, levelOneBytes: 32_768, growth: 4, levels: 4 },
      stepEntries: 32,
    },
  },
  keys: 120,
  valueBytes: 2000,
  steps: 30,
  reads: 12,
}
