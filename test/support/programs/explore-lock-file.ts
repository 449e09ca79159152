/** Explores the scenarios of a file, spread over workers, as a script does. */
import { exploreFiles } from '../../../src/explore/index.ts'

const names: string[] = []
const results = await exploreFiles([new URL('ticket-lock.ts', import.meta.url)], {
  workers: Number(process.argv[2]),
  onScenarios: (all) => names.push(...all),
})
console.log(JSON.stringify({ names, results }))
