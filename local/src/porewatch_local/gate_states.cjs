// Both linters over one state machine: `node gate_states.cjs NODE_MODULES FILE` prints one finding a line.
// asl-validator knows paths, reachability and JSONata syntax; the language service knows fields and their types.
const fs = require("node:fs");
const { createRequire } = require("node:module");

const [modules, file] = process.argv.slice(2);
const from = createRequire(modules + "/");
const text = fs.readFileSync(file, "utf8");

const { errors } = from("asl-validator")(JSON.parse(text), { checkArn: false });
for (const error of errors) {
  console.log(`asl-validator: ${error["Error code"]} ${JSON.stringify(error.path ?? error.schemaError ?? error.Message ?? error)}`);
}

const { getLanguageService, TextDocument } = from("amazon-states-language-service");
const service = getLanguageService({});
const document = TextDocument.create("file:///machine.asl", "asl", 1, text);
service.doValidation(document, service.parseJSONDocument(document)).then((found) => {
  for (const { range, message } of found) {
    console.log(`amazon-states-language-service: line ${range.start.line + 1}: ${message}`);
  }
});
