"""RetinaFace, the face detector that made PASS, at the same scores and many times the speed.

network       the two published networks in PyTorch, and their checkpoints
parameters    their weights as graphs hold them, batch norms folded
interface     what goes into a graph and comes out, by name
graph         the way through a network, for a graph of some runtime's layers
ncnn_graph    such a graph for ncnn, the fastest on CPUs
onnx_graph    such a graph for ONNX Runtime
graph_cache   where graphs are kept
runtimes      a network that is ready to run: by ncnn, ONNX Runtime or PyTorch
boxes         from the network's output to scores and boxes
detector      the detector
"""
