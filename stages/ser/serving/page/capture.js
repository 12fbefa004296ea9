// The AudioWorklet of microphone.js: hands the samples over in blocks of about a tenth of a second.

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.block = new Float32Array(Math.round(sampleRate / 10));
    this.filled = 0;
    this.going = true;
    this.port.onmessage = () => {
      this.hand(); // what is left
      this.going = false;
      this.port.postMessage(null);
    };
  }

  hand() {
    if (!this.filled) return;
    const samples = this.block.slice(0, this.filled);
    this.port.postMessage(samples, [samples.buffer]);
    this.filled = 0;
  }

  process([input]) {
    if (!this.going) return false;
    const samples = input[0];
    if (!samples) return true; // nothing is connected yet
    for (let taken = 0; taken < samples.length;) {
      const part = samples.subarray(taken, taken + this.block.length - this.filled);
      this.block.set(part, this.filled);
      this.filled += part.length;
      taken += part.length;
      if (this.filled === this.block.length) this.hand();
    }
    return true;
  }
}

registerProcessor("capture", Capture);
