// node validate_openapi.mjs DOCUMENT NODE_MODULES: exits with 0 when DOCUMENT is valid OpenAPI 3.1.
import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';

const [document, modules] = process.argv.slice(2);
const { Validator } = await import(pathToFileURL(`${modules}/@seriousme/openapi-schema-validator/index.js`));
const validator = new Validator();
const result = await validator.validate(JSON.parse(await readFile(document, 'utf8')));
if (!result.valid || validator.version !== '3.1') {
  console.error(`not valid OpenAPI 3.1 (${validator.version}):`, JSON.stringify(result.errors, null, 1));
  process.exit(1);
}
