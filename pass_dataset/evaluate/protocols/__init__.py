"""What is done with features: each protocol as it was published, and one that is tuned.

statistics  numbers that can be computed of some test images: accuracy, mean AP, NMI, aRI
kmeans      clustering, compared with the classes
knn         nearest neighbours, as DINO's code has them
svm         support vector machines on few images a class, as PCL's code has them
linear      a linear layer, as MoCo's code trains it
logistic    logistic regression on standardised features, its strength chosen without the test set
running     all of them by name, on the features of one encoder
"""
