// Points in WebGL: the box, the particles, a camera that orbits.

import {
  AdditiveBlending,
  BoxGeometry,
  BufferAttribute,
  BufferGeometry,
  EdgesGeometry,
  LineBasicMaterial,
  LineSegments,
  PerspectiveCamera,
  Points,
  Scene,
  ShaderMaterial,
  Vector3,
  WebGLRenderer,
} from "three";
import { OrbitControls } from "three/addons/controls/OrbitControls.js";

const VERTEX = `
attribute vec3 color;
uniform float size;
varying vec3 shade;
void main() {
  shade = color;
  vec4 at = modelViewMatrix * vec4(position, 1.0);
  gl_PointSize = clamp(size / -at.z, 1.0, 24.0);
  gl_Position = projectionMatrix * at;
}`;
const FRAGMENT = `
uniform float opacity;
varying vec3 shade;
void main() {
  float r = length(gl_PointCoord - 0.5);
  if (r > 0.5) discard;
  gl_FragColor = vec4(shade, opacity * (1.0 - 2.0 * r));
}`;

export class PointScene {
  private readonly renderer: WebGLRenderer;
  private readonly scene = new Scene();
  private readonly camera = new PerspectiveCamera(45, 1, 0.001, 100);
  private readonly controls: OrbitControls;
  private readonly material: ShaderMaterial;
  private points: Points | null = null;
  private wanted = false;
  private flight: { from: [Vector3, Vector3]; to: [Vector3, Vector3]; begin: number } | null = null;

  /** The longest side of the box is one unit. Errors: there is no WebGL. */
  constructor(
    canvas: HTMLCanvasElement,
    private readonly box: [number, number, number],
  ) {
    this.renderer = new WebGLRenderer({ canvas, antialias: false, powerPreference: "high-performance", preserveDrawingBuffer: true });
    this.renderer.setClearColor(0x05060a);
    this.material = new ShaderMaterial({
      vertexShader: VERTEX,
      fragmentShader: FRAGMENT,
      uniforms: { size: { value: 4 }, opacity: { value: 0.5 } },
      blending: AdditiveBlending,
      depthTest: false,
      transparent: true,
    });
    const side = this.unit();
    const edges = new LineSegments(new EdgesGeometry(new BoxGeometry(box[0] / side, box[1] / side, box[2] / side)), new LineBasicMaterial({ color: 0x3a475e }));
    this.scene.add(edges);
    this.controls = new OrbitControls(this.camera, canvas);
    this.controls.enableDamping = true;
    this.controls.dampingFactor = 0.12;
    this.controls.listenToKeyEvents(canvas);
    this.controls.addEventListener("change", () => this.draw());
  }

  private unit() {
    return Math.max(...this.box);
  }

  private place(x: number, y: number, z: number): Vector3 {
    const side = this.unit();
    return new Vector3((x - this.box[0] / 2) / side, (y - this.box[1] / 2) / side, (z - this.box[2] / 2) / side);
  }

  home() {
    // In a narrow window the box fits in only from farther away.
    const distance = Math.max(1, 1.15 / this.camera.aspect);
    this.fly(new Vector3(0, 0, 0), new Vector3(0.9, 0.7, 1.45).multiplyScalar(distance));
  }

  /** Looks at a halo from some of its radii away. */
  goTo(centre: [number, number, number], radius: number) {
    const target = this.place(...centre);
    const away = this.camera.position.clone().sub(this.controls.target).normalize();
    this.fly(target, target.clone().add(away.multiplyScalar(Math.max(0.02, (6 * radius) / this.unit()))));
  }

  private fly(target: Vector3, position: Vector3) {
    const isStill = this.camera.position.length() === 0 || window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (isStill) {
      this.camera.position.copy(position);
      this.controls.target.copy(target);
    } else this.flight = { from: [this.controls.target.clone(), this.camera.position.clone()], to: [target, position], begin: performance.now() };
    this.draw();
  }

  show(positions: Float32Array, colours: Float32Array) {
    const [n, side] = [positions.length / 3, this.unit()];
    const placed = new Float32Array(positions.length);
    for (let i = 0; i < n; i++) for (let k = 0; k < 3; k++) placed[3 * i + k] = (positions[3 * i + k]! - this.box[k]! / 2) / side;
    const geometry = new BufferGeometry();
    geometry.setAttribute("position", new BufferAttribute(placed, 3));
    geometry.setAttribute("color", new BufferAttribute(colours, 3));
    if (this.points) {
      this.scene.remove(this.points);
      this.points.geometry.dispose();
    }
    // The more points, the fainter and the smaller each.
    this.material.uniforms.opacity!.value = Math.min(0.9, Math.max(0.2, 90 / Math.sqrt(n)));
    this.material.uniforms.size!.value = (this.renderer.getPixelRatio() * Math.min(9, Math.max(2.4, 1200 / Math.sqrt(n)))) as number;
    this.points = new Points(geometry, this.material);
    this.points.frustumCulled = false;
    this.scene.add(this.points);
    this.draw();
  }

  resize(width: number, height: number) {
    if (width === 0 || height === 0) return;
    this.renderer.setPixelRatio(Math.min(window.devicePixelRatio, 2));
    this.renderer.setSize(width, height, false);
    this.camera.aspect = width / height;
    this.camera.updateProjectionMatrix();
    if (this.camera.position.length() === 0) this.home();
    this.draw();
  }

  private draw() {
    if (this.wanted) return;
    this.wanted = true;
    requestAnimationFrame((now) => {
      this.wanted = false;
      this.step(now);
      this.controls.update();
      this.renderer.render(this.scene, this.camera);
    });
  }

  private step(now: number) {
    const { flight } = this;
    if (!flight) return;
    const t = Math.min(1, Math.max(0, (now - flight.begin) / 900));
    const eased = t * t * (3 - 2 * t);
    this.controls.target.lerpVectors(flight.from[0], flight.to[0], eased);
    this.camera.position.lerpVectors(flight.from[1], flight.to[1], eased);
    if (t === 1) this.flight = null;
    else this.draw();
  }

  dispose() {
    this.controls.dispose();
    this.points?.geometry.dispose();
    this.material.dispose();
    this.renderer.dispose();
  }
}
