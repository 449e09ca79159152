/** A worker of `heddle explore`: takes one scenario after the other, until there is none left. */
import { parentPort, workerData } from 'node:worker_threads'
import type { Order } from '../src/cli/explore/run.ts'
import { loadScenarios, runScenario } from '../src/cli/explore/scenarios.ts'

const { command, overrides, next } = workerData as Order
const scenarios = await loadScenarios(command.files, command.only)
const counter = new Int32Array(next)
for (let i = Atomics.add(counter, 0, 1); i < scenarios.length; i = Atomics.add(counter, 0, 1)) {
  parentPort!.postMessage(runScenario(scenarios[i]!, overrides, () => undefined))
}
