// Browsers start no worker from a file on disk. There the search runs in a hidden frame, which may load one.
if (location.protocol === "file:") {
  window.Worker = class {
    constructor(url) {
      const frame = document.createElement("iframe");
      frame.hidden = true;
      document.body.append(frame);
      const inside = frame.contentWindow;
      inside.postMessage = (data) => setTimeout(() => this.onmessage && this.onmessage({ data }));
      const script = inside.document.createElement("script");
      script.src = url;
      this.frame = frame;
      this.ready = new Promise((go, stop) => {
        script.onload = go;
        script.onerror = stop;
      });
      this.ready.catch((error) => this.onerror && this.onerror(error));
      inside.document.head.append(script);
    }
    postMessage(data) {
      this.ready.then(() => this.frame.contentWindow.onmessage({ data: structuredClone(data) }), () => {});
    }
    terminate() {
      this.frame.remove();
    }
  };
}
