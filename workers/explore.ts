/** A worker of `exploreFiles`: takes one scenario after the other, or its part of each. */
import { parentPort, workerData } from 'node:worker_threads'
import type { Order, Told } from '../src/explore/explore-files.ts'
import { loadScenarios, runScenario } from '../src/explore/scenario-files.ts'

const { files, only, overrides, next, deals } = workerData as Order

async function runAll(): Promise<void> {
  const scenarios = await loadScenarios(files, only)
  const run = (scenario: number): void => {
    const result = runScenario(scenarios[scenario]!, overrides, () => undefined, deals?.[scenario])
    parentPort!.postMessage({ scenario, result } satisfies Told)
  }
  if (deals !== undefined) scenarios.forEach((_, i) => run(i))
  else {
    const counter = new Int32Array(next)
    for (let i = Atomics.add(counter, 0, 1); i < scenarios.length; i = Atomics.add(counter, 0, 1)) run(i)
  }
}

void runAll()
