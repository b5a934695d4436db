// What TensorFlow.js says of images, for `scripts/tools/compare_nsfwjs.py`.
//
//   node nsfwjs_outputs.js MODULES images.raw outputs.json
//
// MODULES has node_modules with @tensorflow/tfjs and tfjs-backend-wasm 4.22, and nsfwjs 4.4.0. images.raw: uint8, 224×224×3 RGB
// each. Of nsfwjs only the model is loaded, so that the images are the same to the bit.
const fs = require("fs");
const path = require("path");
const [modules, images, outputs] = process.argv.slice(2);
const from = (name) => require(path.resolve(modules, "node_modules", name));
const tf = from("@tensorflow/tfjs");
const folder = "nsfwjs/dist/models/mobilenet_v2";

async function main() {
  // The backend in plain JavaScript, "cpu", takes seconds for an image.
  const wasm = from("@tensorflow/tfjs-backend-wasm");
  wasm.setWasmPaths(path.resolve(modules, "node_modules/@tensorflow/tfjs-backend-wasm/dist") + "/");
  await tf.setBackend("wasm");
  const model = from(`${folder}/model.min.js`);
  const manifest = model.weightsManifest[0];
  const bytes = Buffer.from(from(`${folder}/${manifest.paths[0]}.min.js`), "base64");
  const network = await tf.loadLayersModel(
    tf.io.fromMemory({
      modelTopology: model.modelTopology,
      weightSpecs: manifest.weights,
      weightData: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length),
    }),
  );
  const data = fs.readFileSync(images);
  const size = 224 * 224 * 3;
  const found = [];
  for (let start = 0; start < data.length; start += size) {
    const one = tf.tensor4d(Float32Array.from(data.subarray(start, start + size)), [1, 224, 224, 3]);
    found.push(Array.from(await network.predict(one.div(255)).data()));
  }
  fs.writeFileSync(outputs, JSON.stringify(found));
}

main();
