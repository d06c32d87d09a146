// node simulate_side.cjs NODE_MODULES: a list of [policies, request, the resource's policy or null] in, answers out:
// "Allowed", "ImplicitlyDenied", "ExplicitlyDenied", or what the simulator says is wrong with it.
const { readFileSync } = require('node:fs')
const simulator = require(require.resolve('@cloud-copilot/iam-simulate', { paths: [process.argv[2]] }))

const EVERYTHING = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] }
const ORGANISATION = [{ orgIdentifier: 'r-root', policies: [{ name: 'all', policy: EVERYTHING }] }]

async function answer([policies, request, resourcePolicy]) {
  const told = await simulator.runSimulation(
    {
      identityPolicies: policies.map((policy, n) => ({ name: `p${n}`, policy })),
      serviceControlPolicies: ORGANISATION,
      resourceControlPolicies: [],
      ...(resourcePolicy ? { resourcePolicy } : {}),
      request,
    },
    {},
  )
  return told.resultType === 'error' ? JSON.stringify(told.errors) : (told.overallResult ?? JSON.stringify(told))
}

async function main() {
  const answers = []
  for (const one of JSON.parse(readFileSync(0, 'utf8'))) answers.push(await answer(one))
  process.stdout.write(JSON.stringify(answers))
}

main()
