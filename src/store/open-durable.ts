/**
 * Opening a durable store: the directory is locked and looked at, an arena made, the contents loaded into its tree, and
 * the threads of the tier are started.
 *
 * Thread safety: one thread, which then is the opener, and should be the one that lives longest (directory-lock.ts).
 */
import { randomInt } from 'node:crypto'
import { threadId } from 'node:worker_threads'
import { DirectoryLock } from '../lsm/directory-lock.ts'
import { FileDisk, openDirectory } from '../lsm/file-disk.ts'
import { Replay } from '../lsm/replay.ts'
import { placeTier, writeTierHead } from '../lsm/tier-layout.ts'
import { type Inspected, begin, inspect } from '../lsm/tier-opening.ts'
import { TierWords } from '../lsm/tier-words.ts'
import { type Arena, createArena } from '../memory/arena.ts'
import type { KeyCodecOption, ValueCodecOption } from './codec.ts'
import type { Opener } from './durability.ts'
import { Engine } from './engine.ts'
import { type StoreHandle, codecName, makeHandle } from './handle.ts'
import type { CheckedOptions } from './options.ts'
import type { CheckedTier } from './tier-options.ts'
import { TierThreads } from './tier-threads.ts'

const GENERATIONS = 2 ** 32

export interface OpenedDurable {
  readonly arena: Arena
  readonly engine: Engine
  readonly handle: StoreHandle
  readonly opener: Opener
}

/**
 * @throws HeddleError HEDDLE_LOCKED, HEDDLE_CORRUPT, HEDDLE_IO, HEDDLE_NO_SPACE, HEDDLE_FULL if the contents do not fit the
 *   memory, HEDDLE_INVALID_OPTION if the codecs are not those that the store was made with
 */
export function openDurable(
  { geometry }: CheckedOptions,
  tier: CheckedTier,
  keys: KeyCodecOption,
  values: ValueCodecOption,
): OpenedDurable {
  const directory = openDirectory(tier.path)
  const lock = DirectoryLock.take(directory)
  try {
    const disk = new FileDisk(directory)
    const codecs = JSON.stringify({ keys: codecName(keys), values: codecName(values) })
    const found = inspect(disk, codecs, randomInt(1, GENERATIONS))
    const arena = createArena(geometry)
    const engine = makeEngine(arena, tier, found, disk)
    engine.replay(() => void begin(engine.tier!, disk, found, new Replay(engine.tree, () => engine.bring()), false))
    const handle = makeHandle(arena.buffer, keys, values, directory)
    const config = { directory, maintainer: tier.maintainer }
    const threads = new TierThreads(engine.tier!.words, handle, config, (dead) => {
      if (!engine.detached) engine.scheme.reap(dead)
    })
    return { arena, engine, handle, opener: { disk, fileBytes: tier.maintainer.fileBytes, lock, threads } }
  } catch (error) {
    lock.release()
    throw error
  }
}

function makeEngine(arena: Arena, tier: CheckedTier, found: Inspected, disk: FileDisk): Engine {
  const { layout, words } = arena
  writeTierHead(arena, tier.geometry)
  const placed = placeTier(layout.tierAt, layout.maxParticipants, tier.geometry)
  const { generation } = found.manifest
  TierWords.init(words, placed, { ...tier.settings, generation }, found.nextFileId)
  const engine = new Engine(arena, threadId, disk)
  engine.tree.create()
  return engine
}
