import { workerUrl } from '../../memory/worker-url.ts'
import { grouped } from '../format.ts'
import { Screen } from '../screen.ts'
import type { SoakOptions } from '../soak.ts'
import { isBadOption, openText, type TextStore } from '../text-store.ts'
import { UsageError } from '../usage-error.ts'
import { Control } from './control.ts'
import { checkVerify, Round, type Counts } from './round.ts'

const TINY_MEMORY = 12 * 2 ** 20
const TINY_PAGES = { leafEntries: 6, leafSlots: 3, innerEntries: 4, segmentWords: 4096, paranoid: true }
const SECONDS_PER_ROUND = 8
/** Tiny and normal pages, few and many keys, in each half. */
const ROUNDS_IN_HALF = 4
const MOST_TOLD = 50
const WATCHDOG_MS = 180_000
/** Live words of an emptied store may differ a little with its history; a leak grows. */
const LIVE_WORDS_SLACK = 1024

/** A store, and what was live in it when it was empty after each of its rounds. */
interface Subject {
  readonly name: string
  readonly tiny: boolean
  readonly store: TextStore
  readonly live: number[]
}

/** The whole soak; its exit code. */
export async function runSoak(options: SoakOptions, screen: Screen = new Screen()): Promise<number> {
  const threads = 2 * options.workers + 8
  const subjects: Subject[] = [
    { name: 'tiny', tiny: true, store: openStore({ memory: TINY_MEMORY, tuning: TINY_PAGES }, threads), live: [] },
    { name: 'normal', tiny: false, store: openStore({ memory: options.memory }, threads), live: [] },
  ]
  const control = new Control(options.workers)
  const watchdog = subjects[0].store.spawn(workerUrl('soak'), {
    workerData: { watch: control.buffer, limitMs: WATCHDOG_MS },
  })
  try {
    return await soak(options, screen, subjects, control)
  } finally {
    control.end()
    await new Promise((resolve) => watchdog.once('exit', resolve))
    for (const { store } of subjects) store.close()
  }
}

function openStore(options: Parameters<typeof openText>[0], maxThreads: number): TextStore {
  try {
    return openText({ ...options, maxThreads })
  } catch (error) {
    if (isBadOption(error)) throw new UsageError(error.message)
    throw error
  }
}

async function soak(
  options: SoakOptions,
  screen: Screen,
  subjects: readonly Subject[],
  control: Control,
): Promise<number> {
  const counts: Counts = { operations: 0, kills: 0, verifies: 0, full: 0, leaked: 0 }
  let violations = 0
  const violated = (text: string) => {
    if (++violations <= MOST_TOLD) process.stderr.write(`violation: ${text}\n`)
  }
  const enough = () => violations >= MOST_TOLD
  const half = ROUNDS_IN_HALF * Math.max(1, Math.round(options.seconds / 2 / ROUNDS_IN_HALF / SECONDS_PER_ROUND))
  const rounds = options.seconds < 2 * ROUNDS_IN_HALF ? 4 : 2 * half
  const from = performance.now()
  const progress = screen.quietProgress('soak', rounds)
  for (let number = 0; number < rounds && !enough(); number++) {
    progress.show(number)
    const subject = subjects[number % 2]
    const plan = { tiny: subject.tiny, few: number % 4 < 2 }
    const round = new Round({
      number,
      seed: options.seed,
      plan,
      store: subject.store,
      control,
      counts,
      violated,
      enough,
    })
    await round.run(from + ((number + 1) / rounds) * options.seconds * 1000)
    control.beat()
    subject.live.push(empty(subject, counts, violated))
  }
  progress.end()
  if (counts.operations === 0) violated('nothing was done at all')
  if (!enough()) for (const subject of subjects) compareHalves(subject, violated)
  // A worker's message may be lost with it, its count is not.
  violations = Math.max(violations, control.violations())
  screen.line(describe(options, (performance.now() - from) / 1000, counts, violations, subjects))
  return violations === 0 ? 0 : 1
}

/** Removes everything and checks that nothing is left of it; the words that are live then. */
function empty(subject: Subject, counts: Counts, violated: (text: string) => void): number {
  const { store, name } = subject
  store.drain()
  checkVerify(store, counts, violated)
  store.clear()
  store.drain()
  checkVerify(store, counts, violated)
  if (store.size !== 0) violated(`the ${name} store has ${store.size} entries after clear`)
  for (const key of store.keys()) violated(`the ${name} store still has ${key} after clear`)
  const { liveWords } = store.stats()
  // However full it was, it works again now.
  store.set('probe', 'probe')
  if (store.get('probe') !== 'probe' || !store.delete('probe')) violated(`the emptied ${name} store does not work`)
  return liveWords
}

/** Live words after N seconds (the first half) and after 2N (the end). */
function halves({ live }: Subject): { first: number; end: number } {
  return { first: live[live.length / 2 - 1] ?? 0, end: live[live.length - 1] ?? 0 }
}

function compareHalves(subject: Subject, violated: (text: string) => void): void {
  const { first, end } = halves(subject)
  if (end > first + LIVE_WORDS_SLACK) {
    violated(`the live words of the emptied ${subject.name} store grew from ${first} to ${end} in the second half`)
  }
}

function describe(
  options: SoakOptions,
  took: number,
  counts: Counts,
  violations: number,
  subjects: readonly Subject[],
): string {
  const live = subjects.map((subject) => {
    const { first, end } = halves(subject)
    return `${subject.name} ${grouped(first)} then ${grouped(end)}`
  })
  return [
    `soak: ${took.toFixed(1)} s`,
    `${options.workers} workers`,
    `${grouped(counts.operations)} operations`,
    `${grouped(counts.kills)} kills`,
    `${grouped(counts.verifies)} verifies`,
    `${grouped(counts.full)} full`,
    `${grouped(violations)} violations`,
    `${grouped(counts.leaked)} leaked`,
    `live words ${live.join(', ')}`,
    `seed ${options.seed}`,
  ].join(', ')
}
