/**
 * A real process with a durable store, two threads that write to it, and flushes and compactions all the time is killed at
 * random moments, again and again, on the same directory. What it had said to be durable, by a pipe that the kill does not
 * reach, is there at the next start, and nothing before it is missing. `KILLS` and `KILL_SEED` make it longer.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { open } from '../../src/index.ts'
import { faultOf, lastKey } from '../support/numbered-changes.ts'
import { fromEnv, random } from '../support/random.ts'
import { MIB } from '../support/stores.ts'

const KILLS = fromEnv('KILLS', 4)
const SEED = fromEnv('KILL_SEED', 1)
const LONGEST_MS = 500
const WRITERS = ['main', 'worker']

const PROGRAM = fileURLToPath(new URL('../support/programs/write-durably.ts', import.meta.url))
const LOADER = new URL('../support/register-tsx.mjs', import.meta.url).href

/**
 * Runs the program for some milliseconds after its first word, or, mostly, after a first change was durable.
 * @returns the last number that each writer said
 */
async function runAndKill(
  directory: string,
  seed: number,
  durability: string,
  ms: number,
): Promise<Map<string, number>> {
  const child = spawn(process.execPath, ['--import', LOADER, PROGRAM, directory, String(seed), durability], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  child.stdout.on('data', (bytes: Buffer) => {
    said += bytes.toString()
  })
  const closed = once(child, 'close')
  await once(child.stdout, 'data')
  while (seed % 4 !== 0 && !said.includes('worker')) await once(child.stdout, 'data')
  setTimeout(() => child.kill('SIGKILL'), ms)
  await closed
  expect(child.signalCode).toBe('SIGKILL')
  const last = new Map<string, number>()
  // A line without its end was being written.
  for (const line of said.slice(0, said.lastIndexOf('\n')).split('\n')) {
    const [writer = '', number = ''] = line.split(' ')
    last.set(writer, Number(number))
  }
  return last
}

it('has all that a killed process had acknowledged', { timeout: 60_000 + KILLS * 10_000 }, async () => {
  const root = mkdtempSync(join(tmpdir(), 'heddle-kill-'))
  const rng = random(SEED)
  let flushes = 0
  let total = 0
  try {
    for (let kill = 0; kill < KILLS; kill++) {
      const durability = rng.pick(['group', 'sync', 'none'])
      const said = await runAndKill(root, SEED + kill, durability, rng.int(LONGEST_MS))
      const store = open({ path: root, memory: 32 * MIB })
      total = 0
      for (const writer of WRITERS) {
        const last = Number(store.get(lastKey(writer)) ?? 0)
        total += last
        expect(last).toBeGreaterThanOrEqual(said.get(writer) ?? 0)
        expect(faultOf((key) => store.get(key), writer, last)).toBe('')
      }
      flushes += store.stats().tables
      store.close()
    }
    expect(total).toBeGreaterThan(0)
    console.log(`${KILLS} kills of a store, seed ${SEED}, ${total} changes, ${flushes} tables seen, 0 violations`)
  } finally {
    rmSync(root, { recursive: true })
  }
})
