/**
 * Two threads must not undo each other's work for ever. A search in a short time does not meet a cycle of some sixty
 * steps, so the schedule that has shown it is followed: it goes on as long as they obstruct each other.
 */
import { expect, it } from 'vitest'
import { explore } from '../../../src/explore/index.ts'
import { scenarios } from './merges.ts'

/** The writer replaces the leaf, and the merge freezes the new one; once, the writer needs another segment for that. */
const CYCLE = ',1*37,0*19'
const SCHEDULE = `v1:0*67${CYCLE.repeat(13)},1*68,0*19${CYCLE.repeat(4)},1*42,0*52`

it('a merge and a writer of its left leaf come to an end', () => {
  const { options } = scenarios.find(({ name }) => name === 'merge: into the left leaf, against an insert into it')!
  expect(explore({ ...options, replay: SCHEDULE }).error?.kind).not.toBe('unbounded')
})
