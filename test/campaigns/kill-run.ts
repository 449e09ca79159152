/**
 * A real process with a durable store, two threads that write to it, and flushes and compactions all the time is killed
 * with SIGKILL at random moments, again and again, on the same directories. What it had said to be durable, by a pipe that
 * the kill does not reach, must be there at the next start, and nothing before it may be missing.
 *
 * One of two directories has little in it, the other one more than its memory holds.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { FROM_SOURCES } from '../../src/memory/worker-url.ts'
import { WRITERS } from '../support/numbered-changes.ts'
import { type Random, random } from '../support/random.ts'
import type { Amount } from '../support/written-store.ts'

const AMOUNTS: readonly Amount[] = ['little', 'much']
/** Longest times, in milliseconds. */
const STARTING_MS = 400
const RUNNING_MS = 200
/** Of the first run that fills a directory with more than memory holds. */
const FILLING_MS = 10_000

const EXTENSION = FROM_SOURCES ? 'ts' : 'js'
const PROGRAM = fileURLToPath(new URL(`../support/programs/write-durably.${EXTENSION}`, import.meta.url))
const LOADER = FROM_SOURCES ? ['--import', new URL('../support/register-tsx.mjs', import.meta.url).href] : []

export interface KillOptions {
  readonly kills: number
  readonly seed: number
  /** It ends when so many seconds are over, too. */
  readonly seconds?: number
  /** How long a new directory is filled with more than memory holds, in milliseconds. */
  readonly fillingMs?: number
  /** Called after each kill. */
  readonly onKill?: (report: KillReport) => void
}

export interface KillReport {
  kills: number
  /** Times that all changes of a writer were looked at by a new process. */
  looks: number
  /** Changes that were said to be durable by who was killed then, and those that are there. */
  acknowledged: number
  changes: number
  /** Records that left the memory of those who were killed, as far as they had said. */
  evictions: number
  /** Kills by durability, by amount, and by what they hit. */
  readonly kinds: ReadonlyMap<string, number>
  readonly violations: readonly string[]
}

interface Kill {
  readonly seed: number
  readonly durability: string
  readonly amount: Amount
  /** After the start of the process, after it has looked at the store, or after the first change that was durable. */
  readonly hits: 'start' | 'opened' | 'run'
  /** Milliseconds after that. */
  readonly ms: number
}

function drawKill(rng: Random, seed: number): Kill {
  const amount = rng.pick<Amount>(['little', 'little', 'much'])
  const hits = rng.pick<Kill['hits']>(['start', 'start', 'opened', 'run', 'run', 'run', 'run', 'run'])
  const ms = rng.int(hits === 'start' ? STARTING_MS : RUNNING_MS)
  return { seed, durability: rng.pick(['group', 'sync', 'group', 'sync', 'none']), amount, hits, ms }
}

/** What a process had said when it was killed. */
interface Said {
  readonly found: ReadonlyMap<string, number>
  readonly durable: ReadonlyMap<string, number>
  readonly evicted: number
  readonly wrong: string
}

/** Runs the program until it is killed. */
async function runAndKill(directory: string, { seed, durability, amount, hits, ms }: Kill): Promise<Said> {
  const child = spawn(process.execPath, [...LOADER, PROGRAM, directory, String(seed), durability, amount], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.on('data', (bytes: Buffer) => {
    text += bytes.toString()
  })
  const closed = once(child, 'close')
  const heard = (word: string): boolean => text.includes(word) || child.exitCode !== null
  const awaited = hits === 'run' ? 'durable' : hits === 'opened' ? 'opened' : ''
  while (!heard(awaited)) await Promise.race([once(child.stdout, 'data'), closed])
  setTimeout(() => child.kill('SIGKILL'), ms)
  await closed
  if (child.signalCode !== 'SIGKILL') throw new Error(`the process ended by itself, with ${child.exitCode}: ${text}`)
  // A line without its end was being written.
  return understand(text.slice(0, text.lastIndexOf('\n') + 1).split('\n'))
}

function understand(lines: readonly string[]): Said {
  const found = new Map<string, number>()
  const durable = new Map<string, number>()
  let evicted = 0
  let wrong = ''
  for (const line of lines) {
    const [what = '', writer = '', number = ''] = line.split(' ')
    if (what === 'found') found.set(writer, Number(number))
    else if (what === 'durable') durable.set(writer, Number(number))
    else if (what === 'evicted') evicted = Number(writer)
    else if (what === 'wrong') wrong = line
  }
  return { found, durable, evicted, wrong }
}

function count(kinds: Map<string, number>, ...names: string[]): void {
  for (const name of names) kinds.set(name, (kinds.get(name) ?? 0) + 1)
}

/**
 * Judges what a start has found, and goes on to what it has said to be durable.
 * @param least what has to be there of each writer
 * @returns what is wrong, or ''
 */
function judge({ found, durable, wrong }: Said, least: Map<string, number>, report: KillReport): string {
  if (wrong !== '') return wrong
  for (const writer of WRITERS) {
    const known = least.get(writer) ?? 0
    // Who is killed early has found nothing yet. What was found has been made durable by the recovery.
    const there = found.get(writer) ?? known
    if (there < known) return `${known} changes of ${writer} were durable, and ${there} are there`
    if (found.has(writer)) report.looks++
    const last = Math.max(there, durable.get(writer) ?? 0)
    report.acknowledged += last - there
    least.set(writer, last)
  }
  return ''
}

/** Kills until there are enough kills, the time is over, or something is wrong: then the directory stays as it is. */
export async function killRun({
  kills,
  seed,
  seconds = Infinity,
  fillingMs = FILLING_MS,
  onKill,
}: KillOptions): Promise<KillReport> {
  const root = mkdtempSync(join(tmpdir(), 'heddle-kill-'))
  const rng = random(seed)
  const until = performance.now() + seconds * 1000
  const least = { little: new Map<string, number>(), much: new Map<string, number>() }
  const kinds = new Map<string, number>()
  const violations: string[] = []
  const report: KillReport = { kills: 0, looks: 0, acknowledged: 0, changes: 0, evictions: 0, kinds, violations }
  const check = (kill: Kill, said: Said): void => {
    const wrong = judge(said, least[kill.amount], report)
    report.evictions += said.evicted
    report.changes = [...least.little.values(), ...least.much.values()].reduce((sum, last) => sum + last, 0)
    if (wrong !== '') violations.push(`start ${report.kills}, ${JSON.stringify(kill)}, in ${root}: ${wrong}`)
  }
  while (report.kills < kills && performance.now() < until && violations.length === 0) {
    let kill = drawKill(rng, seed + report.kills)
    const directory = join(root, kill.amount)
    if (kill.amount === 'much' && !existsSync(directory)) kill = { ...kill, ms: fillingMs, durability: 'group' }
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    check(kill, await runAndKill(directory, kill))
    report.kills++
    count(kinds, kill.durability, kill.amount, kill.hits)
    onKill?.(report)
  }
  for (const amount of AMOUNTS) {
    // What the last kill has left is looked at by a start more, which is killed as well.
    if (violations.length > 0 || !existsSync(join(root, amount))) continue
    const last: Kill = { seed, durability: 'group', amount, hits: 'opened', ms: 0 }
    check(last, await runAndKill(join(root, amount), last))
  }
  if (violations.length === 0) rmSync(root, { recursive: true })
  return report
}

/** One line. */
export function killLine({ kinds, ...counts }: KillReport, seed: number): string {
  const by = [...kinds].map(([name, number]) => `${name} ${number}`).join(', ')
  return (
    `${counts.kills} kills (${by}), seed ${seed}, ${counts.changes} changes there, ${counts.acknowledged} of them said to ` +
    `be durable by who was killed, ${counts.looks} writers looked at after it, ${counts.evictions} evictions, ` +
    `${counts.violations.length} violations`
  )
}
