/**
 * A real process on a real disk is killed at random moments, again and again, on the same directory. What it had said to
 * be durable, by a pipe that the kill does not reach, is there at the next start. `KILLS` and `KILL_SEED` make it longer.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { DirectoryLock } from '../../src/lsm/directory-lock.ts'
import { FileDisk, openDirectory } from '../../src/lsm/file-disk.ts'
import { LittleStore } from '../support/little-store.ts'
import { fromEnv, random } from '../support/random.ts'

const KILLS = fromEnv('KILLS', 8)
const SEED = fromEnv('KILL_SEED', 1)
const LONGEST_MS = 150

const PROGRAM = fileURLToPath(new URL('../support/programs/count-durably.ts', import.meta.url))
const LOADER = new URL('../support/register-tsx.mjs', import.meta.url).href

/** Runs the program for some milliseconds after its first word. @returns the last number that it said */
async function runAndKill(directory: string, seed: number, ms: number): Promise<number> {
  const child = spawn(process.execPath, ['--import', LOADER, PROGRAM, directory, String(seed)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let said = ''
  child.stdout.on('data', (bytes: Buffer) => {
    said += bytes.toString()
  })
  const closed = once(child, 'close')
  await once(child.stdout, 'data')
  setTimeout(() => child.kill('SIGKILL'), ms)
  await closed
  expect(child.signalCode).toBe('SIGKILL')
  // A line without its end was being written.
  return Number(said.slice(0, said.lastIndexOf('\n')).split('\n').at(-1))
}

it('has all that a killed process had acknowledged', { timeout: 30_000 + KILLS * 5000 }, async () => {
  const root = mkdtempSync(join(tmpdir(), 'heddle-kill-'))
  const rng = random(SEED)
  let acknowledged = 0
  try {
    for (let kill = 0; kill < KILLS; kill++) {
      const said = await runAndKill(root, SEED + kill, rng.int(LONGEST_MS))
      expect(said).toBeGreaterThanOrEqual(acknowledged)
      const directory = openDirectory(root)
      const lock = DirectoryLock.take(directory)
      const store = new LittleStore(new FileDisk(directory))
      expect(store.last).toBeGreaterThanOrEqual(said)
      acknowledged = store.last
      store.close()
      lock.release()
    }
    console.log(`${KILLS} kills, seed ${SEED}, ${acknowledged} numbers, 0 violations`)
  } finally {
    rmSync(root, { recursive: true })
  }
})
