import { threadId } from 'node:worker_threads'
import { HeddleError } from '../memory/error.ts'
import { type Arena, createArena, viewArena } from '../memory/arena.ts'
import { FileDisk } from '../lsm/file-disk.ts'
import { startCleaner } from './cleaner-thread.ts'
import type { KeyCodecOption, KeyOf, ValueCodecOption, ValueOf } from './codec.ts'
import { keyCodec, valueCodec } from './codec.ts'
import type { Opener } from './durability.ts'
import { Engine } from './engine.ts'
import { type StoreHandle, checkHandle, makeHandle } from './handle.ts'
import { openDurable } from './open-durable.ts'
import { type CheckedOptions, type OpenOptions, checkOptions } from './options.ts'
import { Store } from './store.ts'

/**
 * Opens a store in memory of its own: a new, empty one, or with a `path` what is in that directory.
 * @throws HeddleError HEDDLE_INVALID_OPTION; with a path also HEDDLE_LOCKED if another process or thread has it open,
 * HEDDLE_CORRUPT, HEDDLE_IO, HEDDLE_NO_SPACE, and HEDDLE_FULL if what is there does not fit the memory
 * Complexity: with a path O(log that is in no table), whatever the size of the tables.
 */
export function open<KC extends KeyCodecOption = 'utf8', VC extends ValueCodecOption = 'utf8'>(
  options: OpenOptions<KC, VC> = {},
): Store<KeyOf<KC>, ValueOf<VC>> {
  const checked = checkOptions(options)
  const keys = keyCodec(options.keys)
  const values = valueCodec(options.values)
  const { arena, engine, handle, opener } = openParts(checked, options)
  const thread = checked.cleaner ? startCleaner(arena, handle, (dead) => void engine.scheme.reap(dead)) : null
  return new Store<KeyOf<KC>, ValueOf<VC>>(arena, engine, keys, values, handle, thread, opener)
}

interface Parts {
  readonly arena: Arena
  readonly engine: Engine
  readonly handle: StoreHandle
  readonly opener: Opener | null
}

function openParts(checked: CheckedOptions, options: OpenOptions): Parts {
  const { keys = 'utf8', values = 'utf8' } = options
  if (checked.tier !== undefined) return openDurable(checked, checked.tier, keys, values)
  const arena = createArena(checked.geometry)
  const engine = new Engine(arena, threadId)
  engine.tree.create()
  return { arena, engine, handle: makeHandle(arena.buffer, keys, values), opener: null }
}

/** Codecs to attach with; needed only where the store was opened with custom ones, which cannot be passed on. */
export interface AttachOptions {
  keys?: KeyCodecOption
  values?: ValueCodecOption
}

function codecOption<O>(which: string, name: string, given: O | undefined): O | string {
  if (name !== 'custom') return name
  if (given !== undefined) return given
  throw new HeddleError(
    'HEDDLE_INVALID_OPTION',
    `the store was opened with a custom codec for ${which}; give the same to attach(handle, { ${which} })`,
  )
}

/**
 * Joins a store of another thread (or the same one).
 * @throws HeddleError HEDDLE_BAD_HANDLE, HEDDLE_TOO_MANY_THREADS, HEDDLE_INVALID_OPTION if custom codecs are missing
 */
export function attach<K = string, V = string>(handle: StoreHandle, options: AttachOptions = {}): Store<K, V> {
  const checked = checkHandle(handle)
  const keys = keyCodec(codecOption('keys', checked.keys, options.keys))
  const values = valueCodec(codecOption('values', checked.values, options.values))
  const arena = viewArena(checked.buffer)
  const disk = checked.directory === undefined ? null : new FileDisk(checked.directory)
  return new Store<K, V>(arena, new Engine(arena, threadId, disk), keys, values, checked, null, null)
}
