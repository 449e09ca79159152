/** A worker of `heddle explore`: takes one scenario after the other, or its part of each. */
import { parentPort, workerData } from 'node:worker_threads'
import type { Order, Told } from '../src/cli/explore/run.ts'
import { loadScenarios, runScenario } from '../src/cli/explore/scenarios.ts'

const { command, overrides, next, deals } = workerData as Order
const scenarios = await loadScenarios(command.files, command.only)

function run(scenario: number): void {
  const row = runScenario(scenarios[scenario]!, overrides, () => undefined, deals?.[scenario])
  parentPort!.postMessage({ scenario, row } satisfies Told)
}

if (deals !== undefined) scenarios.forEach((_, i) => run(i))
else {
  const counter = new Int32Array(next)
  for (let i = Atomics.add(counter, 0, 1); i < scenarios.length; i = Atomics.add(counter, 0, 1)) run(i)
}
