import ts from 'typescript'
import { expect, test } from 'vitest'
import { floorOf, isTypeScript, parse, place, projectFiles, visit, type SourceFile } from './source-files.ts'

/** The floors that may touch shared words directly. Everything above goes through them. */
const FLOORS_WITH_ATOMICS: Readonly<Record<string, string>> = {
  memory: 'owns the shared words: every primitive of the engine is made here',
  reclaim: 'announces and reads epochs, which are shared words',
  log: 'reserves and publishes log space with compare-and-swap and fetch-and-add',
  pagecache: 'installs page states in the mapping table with compare-and-swap',
  tree: 'links deltas and reads roots that other threads replace at any moment',
}

/** Files elsewhere that may use Atomics, each with its reason. */
const FILES_WITH_ATOMICS: Readonly<Record<string, string>> = {
  'src/lsm/shared-log.ts': 'reserves slots of the one log with compare-and-swap, and publishes what is durable',
  'src/lsm/async-parking.ts': 'waits for a bell of the log in a thread that must not block',
  'src/lsm/journal.ts': "announces what the participant's slot of the log is filled with",
  'src/cli/soak/control.ts': "the soak's own control words, apart from any store",
  'src/cli/replay/barrier.ts': 'where the workers of a replay meet',
  'src/lsm/block-cache.ts': 'slots and frames of the cache that all threads share',
  'src/lsm/catalog.ts': 'the current version, and the holds of its readers',
  'src/lsm/tier-words.ts': 'who does what in the background, and how far it is',
  'src/explore/raw-atomics.ts': 'performs the steps of virtual threads',
  'src/explore/dealing.ts': 'deals out a search by a counter of its own',
  'src/explore/transform/atomics.ts': 'names the operations that it makes steps of',
  'src/explore/surroundings.ts': 'sees to it that virtual threads take no other steps',
  'workers/explore.ts': 'deals out scenarios by a counter of its own',
}

function checkAtomics(files: readonly SourceFile[], allowed: Readonly<Record<string, string>>): string[] {
  const problems: string[] = []
  for (const file of files) {
    const floor = floorOf(file.path)
    if (!isTypeScript(file) || (floor !== undefined && Object.hasOwn(FLOORS_WITH_ATOMICS, floor))) continue
    if (Object.hasOwn(allowed, file.path)) continue
    visit(parse(file), (node) => {
      if ((ts.isIdentifier(node) || ts.isStringLiteralLike(node)) && node.text === 'Atomics') {
        problems.push(`${place(file, node)} uses Atomics outside the floors that may`)
      }
    })
  }
  return problems
}

/** An exception nobody needs any more has to go. */
function checkAllowList(files: readonly SourceFile[], allowed: Readonly<Record<string, string>>): string[] {
  const problems: string[] = []
  for (const path of Object.keys(allowed)) {
    const file = files.find((candidate) => candidate.path === path)
    if (file === undefined || checkAtomics([file], {}).length === 0) problems.push(`${path} does not use Atomics`)
  }
  return problems
}

test('only the lower floors use Atomics', () => {
  const files = projectFiles('src', 'workers')
  expect(checkAtomics(files, FILES_WITH_ATOMICS)).toEqual([])
  expect(checkAllowList(files, FILES_WITH_ATOMICS)).toEqual([])
})

test.each([
  ['src/store/a.ts', 'Atomics.load(words, 0)'],
  ['src/cli/a.ts', 'const { wait } = Atomics'],
  ['src/explore/a.ts', `globalThis['Atomics']`],
  ['workers/a.ts', 'globalThis.Atomics.notify(words, 0)'],
])('refused in %s: %s', (path, text) => {
  expect(checkAtomics([{ path, text }], {})).toHaveLength(1)
  expect(checkAtomics([{ path, text }], { [path]: 'a reason' })).toEqual([])
})

test('accepted where it belongs, and in a comment anywhere', () => {
  expect(checkAtomics([{ path: 'src/memory/a.ts', text: 'Atomics.load(words, 0)' }], {})).toEqual([])
  expect(checkAtomics([{ path: 'src/store/a.ts', text: '// Atomics.load is used below\nstep()' }], {})).toEqual([])
})

test('an exception without a use is reported', () => {
  const files = [{ path: 'src/store/a.ts', text: 'step()' }]
  expect(checkAllowList(files, { 'src/store/a.ts': 'a reason' })).toHaveLength(1)
  expect(checkAllowList(files, { 'src/store/gone.ts': 'a reason' })).toHaveLength(1)
})
