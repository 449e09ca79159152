/** A process of the paired measurement: both builds of heddle in turns; prints ns for each operation and turn as JSON. */
import { pathToFileURL } from 'node:url'
import type * as heddle from '../src/index.ts'
import { drawStrings } from './draws.ts'
import { keyOf, value } from './load.ts'
import { MEASURES_SOURCES } from './modules.ts'
import type * as operations from './paired-operations.ts'
import type { Operation, Subject } from './paired-operations.ts'

/** What the parent asks for. */
export interface PairedTask {
  /** The folders of the builds. */
  readonly builds: readonly string[]
  /** Which one is opened first, and begins. */
  readonly first: number
  readonly operations: readonly string[]
  readonly turns: number
  readonly records: number
  readonly count: number
  readonly cleaner: boolean
}

/** Of an operation: ns for each build, turn by turn. */
export type PairedTimes = Record<string, number[][]>

/** It takes some 500,000 operations until all of their way has been compiled for good; turns before that are not counted. */
const WARM_UP_OPERATIONS = 500_000
const INDEX = MEASURES_SOURCES ? 'src/index.ts' : 'dist/src/index.js'

const task = JSON.parse(process.argv[2]) as PairedTask

interface Side {
  readonly store: Subject
  readonly operations: Readonly<Record<string, Operation>>
}

async function sideOf(build: string, side: number): Promise<Side> {
  const { records, cleaner } = task
  const { open } = (await import(pathToFileURL(`${build}/${INDEX}`).href)) as typeof heddle
  const { OPERATIONS } = (await import(`./paired-operations.ts?side=${side}`)) as typeof operations
  const store = open({ memory: 2 ** 26 + records * 512, values: 'binary', cleaner }) as Subject
  for (let i = 0; i < records; i++) store.set(keyOf(i), value)
  return { store, operations: OPERATIONS }
}

const sides: Side[] = []
for (let i = 0; i < task.builds.length; i++) {
  const side = (i + task.first) % task.builds.length
  sides[side] = await sideOf(task.builds[side], side)
}

function measure(name: string): number[][] {
  const { count, records } = task
  const times: number[][] = sides.map(() => [])
  const warmUp = MEASURES_SOURCES ? 1 : Math.ceil(WARM_UP_OPERATIONS / count)
  for (let turn = -warmUp; turn < task.turns; turn++) {
    const keys = drawStrings(count, turn + warmUp + 1, records)
    for (let i = 0; i < sides.length; i++) {
      // Another one begins each time.
      const at = (i + task.first + turn + warmUp) % sides.length
      const { store, operations } = sides[at]
      const operation = operations[name]
      if (operation === undefined) {
        throw new Error(`${name} is not known; give some of ${Object.keys(operations).join()}`)
      }
      operation.before?.(store, keys)
      const begin = process.hrtime.bigint()
      operation.run(store, keys)
      const ns = Number(process.hrtime.bigint() - begin)
      operation.after?.(store, keys)
      if (turn >= 0) times[at].push(ns / count)
    }
  }
  return times
}

const report: PairedTimes = {}
for (const name of task.operations) report[name] = measure(name)
console.log(JSON.stringify(report))
for (const { store } of sides) store.close()
