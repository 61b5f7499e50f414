"""An experiment on the workers of a Dask cluster: `ganvas experiment NAME --on ADDRESS`.

link.py      the way to the cluster: all of Dask       dispatch.py   which worker trains which cell
places.py    its workers, and which can be used        status.py     how far cells elsewhere are, on disk
cell.py      what a worker does                        guarded.py    a process that ends with its worker
packing.py   runs and images as tars, and back         images.py     the images that workers are sent
"""
